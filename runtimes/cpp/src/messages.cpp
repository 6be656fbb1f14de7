#include "messages.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "fields.hpp"
#include "text.hpp"

namespace agentloop {
namespace {

/// A name in braces, and what takes its place.
struct Placeholder {
    std::string_view name;
    std::string_view value;
};

/// Replaces placeholders in one pass: what is put in is not looked at again, and other braces are text.
template <std::size_t Count>
std::string filled(std::string_view text, std::array<Placeholder, Count> const& placeholders) {
    std::string result;
    while (!text.empty()) {
        auto const at = std::min(text.find('{'), text.size());
        result += text.substr(0, at);
        text.remove_prefix(at);
        auto const here = std::find_if(placeholders.begin(), placeholders.end(),
                                       [&](auto const& one) { return text.starts_with(one.name); });
        if (here != placeholders.end()) {
            result += here->value;
            text.remove_prefix(here->name.size());
        } else if (!text.empty()) {
            result += text.front();
            text.remove_prefix(1);
        }
    }
    return result;
}

}  // namespace

Prompts Prompts::load(std::string const& path) {
    auto const fields = Fields::of_file(path);
    return {
        .system = fields.text("system"),
        .user = fields.text("user"),
        .tests_failed = fields.text("tests_failed"),
        .timed_out = fields.text("timed_out"),
        .no_code = fields.text("no_code"),
    };
}

Conversation::Conversation(Prompts const& prompts, Task const& task) : prompts_(&prompts) {
    std::array<Placeholder, 3> const placeholders = {
        {{"{task_id}", task.task_id}, {"{prompt}", task.prompt}, {"{tests}", task.tests}}};
    messages_.push_back({"system", filled(prompts.system, placeholders)});
    messages_.push_back({"user", filled(prompts.user, placeholders)});
}

void Conversation::no_code(std::string reply) {
    go_on(std::move(reply), prompts_->no_code);
}

void Conversation::timed_out(std::string reply) {
    go_on(std::move(reply), prompts_->timed_out);
}

void Conversation::tests_failed(std::string reply, std::string_view output) {
    std::array<Placeholder, 1> const placeholders = {{{"{output}", output}}};
    go_on(std::move(reply), filled(prompts_->tests_failed, placeholders));
}

void Conversation::go_on(std::string reply, std::string answer) {
    messages_.push_back({"assistant", std::move(reply)});
    messages_.push_back({"user", std::move(answer)});
}

std::string Conversation::body(std::string_view model, CanonicalFields const& request) const {
    std::string body = "{";
    auto const begin_field = [&](std::string_view name) {
        if (body.size() > 1)
            body += ',';
        append_quoted(body, name);
        body += ':';
    };
    auto further = request.begin();
    auto const add_further_fields_while = [&](auto precedes) {
        for (; further != request.end() && precedes(further->first); ++further) {
            begin_field(further->first);
            body += further->second;
        }
    };

    add_further_fields_while([](std::string_view name) { return name < "messages"; });
    begin_field("messages");
    char separator = '[';
    for (auto const& [role, content] : messages_) {
        body += std::exchange(separator, ',');
        body += R"({"content":)";
        append_quoted(body, content);
        body.append(R"(,"role":")").append(role).append(R"("})");
    }
    body += ']';
    add_further_fields_while([](std::string_view name) { return name < "model"; });
    begin_field("model");
    append_quoted(body, model);
    add_further_fields_while([](std::string_view name) { return name < "stream"; });
    begin_field("stream");
    body += "true";
    add_further_fields_while([](std::string_view) { return true; });
    return body += '}';
}

}  // namespace agentloop
