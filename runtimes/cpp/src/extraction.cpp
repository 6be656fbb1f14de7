#include "extraction.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

#include "scanner.hpp"
#include "text.hpp"

namespace agentloop {
namespace {

/// How the thought of a model begins and ends.
struct ThoughtTags {
    std::string_view begin;
    std::string_view end;
};

constexpr std::array<ThoughtTags, 3> THOUGHT_TAGS = {
    {{"<think>", "</think>"}, {"<thinking>", "</thinking>"}, {"[THINK]", "[/THINK]"}}};

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

bool is_space(char c) {
    return c == ' ';
}

bool is_of_name(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Takes the token with which a model ends its turn, if it comes next.
bool take_end_token(Scanner& scanner) {
    for (std::string_view const token : {"</s>", "<eos>", "<end_of_turn>", "<｜end▁of▁sentence｜>"})
        if (scanner.take(token))
            return true;
    auto ahead = scanner;
    if (!ahead.take("<|") || ahead.take_while(is_of_name) == 0 || !ahead.take("|>"))
        return false;
    scanner = ahead;
    return true;
}

/// The reply without the end tokens at its end and the white space around them.
std::string_view without_end_tokens(std::string_view reply) {
    auto rest = without_trailing_white_space(reply);
    while (true) {
        auto const at = rest.rfind('<');
        if (at == std::string_view::npos)
            return reply;
        Scanner token(rest.substr(at));
        if (!take_end_token(token) || !token.at_end())
            return reply;
        reply = rest = without_trailing_white_space(rest.substr(0, at));
    }
}

/// What follows the thought that `text` begins with, or none if it begins with none.
std::optional<std::string_view> behind_thought(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(WHITE_SPACE), text.size()));
    for (auto const& [begin, end] : THOUGHT_TAGS)
        if (text.starts_with(begin))
            if (auto const at = text.find(end); at != std::string_view::npos)
                return text.substr(at + end.size());
    return std::nullopt;
}

/// What follows the last end of a thought on a line, or none if there is no such end.
std::optional<std::string_view> behind_last_end(std::string_view line) {
    std::size_t behind = 0;
    for (auto const& tags : THOUGHT_TAGS)
        if (auto const at = line.rfind(tags.end); at != std::string_view::npos)
            behind = std::max(behind, at + tags.end.size());
    return behind > 0 ? std::optional(line.substr(behind)) : std::nullopt;
}

/// The lines of a text, one by one.
class Lines {
  public:
    explicit Lines(std::string_view text) : rest_(text) {}

    std::optional<std::string_view> next() {
        if (over_)
            return std::nullopt;
        auto const end = rest_.find('\n');
        auto const line = rest_.substr(0, end);
        over_ = end == std::string_view::npos;
        rest_.remove_prefix(over_ ? rest_.size() : end + 1);
        return line;
    }

  private:
    std::string_view rest_;
    bool over_ = false;
};

/// The line that begins a code block.
struct Fence {
    std::size_t indent;
    char sign;
    std::size_t length;
    std::string tag;
};

std::optional<Fence> opening_fence(std::string_view line) {
    Scanner scanner(line);
    auto const indent = scanner.take_while(is_space);
    if (scanner.at_end())
        return std::nullopt;
    char const sign = scanner.rest().front();
    auto const length = scanner.take_while([&](char c) { return c == sign; });
    if ((sign != '`' && sign != '~') || length < 3)
        return std::nullopt;
    if (sign == '`' && scanner.rest().find('`') != std::string_view::npos)
        return std::nullopt;
    scanner.take_while(is_blank);
    auto const tag = scanner.rest().substr(0, scanner.rest().find_first_of(" \t"));
    return Fence{indent, sign, length, in_lower_case(tag)};
}

bool closes(std::string_view line, Fence const& fence) {
    Scanner scanner(line);
    scanner.take_while(is_space, fence.indent + 3);
    auto const length = scanner.take_while([&](char c) { return c == fence.sign; });
    if (length < fence.length)
        return false;
    do
        scanner.take_while(is_blank);
    while (take_end_token(scanner));
    return scanner.at_end();
}

/// The code of the block that `fence` begins, taking its lines; empty if it is white space only.
std::string code_of(Fence const& fence, Lines& lines) {
    std::string code;
    for (auto line = lines.next(); line && !closes(*line, fence); line = lines.next()) {
        Scanner scanner(*line);
        scanner.take_while(is_space, fence.indent);
        code.append(scanner.rest()).push_back('\n');
    }
    if (stripped(code).empty())
        return {};
    code.resize(code.find_last_not_of('\n') + 1);
    return code + '\n';
}

bool is_python(std::string_view tag) {
    Scanner scanner(tag);
    if (!scanner.take("py"))
        return false;
    scanner.take("thon");
    scanner.take_while([](char c) { return is_digit(c) || c == '.'; });
    return scanner.at_end();
}

bool is_definition(std::string_view line, std::string_view name) {
    Scanner assigned(line);
    if (assigned.take(name)) {
        assigned.take_while(is_blank);
        if (assigned.take("=") && !assigned.rest().starts_with('='))
            return true;
    }
    Scanner scanner(line);
    if (scanner.take("async") && scanner.take_while(is_blank) == 0)
        return false;
    bool const is_asynchronous = scanner.rest().size() < line.size();
    if (!scanner.take("def") && (is_asynchronous || !scanner.take("class")))
        return false;
    if (scanner.take_while(is_blank) == 0 || !scanner.take(name))
        return false;
    return scanner.at_end() || !(is_of_name(scanner.rest().front()) || (scanner.rest().front() & 0x80) != 0);
}

bool defines(std::string_view code, std::string_view name) {
    Lines lines(code);
    while (auto const line = lines.next())
        if (!name.empty() && is_definition(*line, name))
            return true;
    return false;
}

}  // namespace

std::optional<std::string> extract(std::string_view reply, std::string_view entry_point) {
    auto rest = without_end_tokens(reply);
    while (auto const behind = behind_thought(rest))
        rest = *behind;
    auto const text = replaced(rest, "\r\n", "\n");
    using Rank = std::tuple<std::size_t, bool, bool, std::size_t>;
    std::optional<std::pair<Rank, std::string>> best;
    std::size_t section = 0;
    Lines lines(text);
    while (auto const line = lines.next()) {
        auto fence = opening_fence(*line);
        if (auto const behind = fence ? std::nullopt : behind_last_end(*line)) {
            ++section;
            fence = opening_fence(*behind);
        }
        if (!fence)
            continue;
        auto code = code_of(*fence, lines);
        bool const is_tagged = is_python(fence->tag);
        if (code.empty() || (!is_tagged && !fence->tag.empty()))
            continue;
        Rank const rank{section, defines(code, entry_point), is_tagged, code.size()};
        if (!best || rank >= best->first)
            best.emplace(rank, std::move(code));
    }
    return best ? std::optional(std::move(best->second)) : std::nullopt;
}

}  // namespace agentloop
