#include "extraction.hpp"

#include "scanner.hpp"
#include "text.hpp"

namespace agentloop {
namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

bool is_space(char c) {
    return c == ' ';
}

/// The line that begins a code block.
struct Fence {
    std::size_t indent;
    char sign;
    std::size_t length;
    std::string tag;
};

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

std::optional<Fence> opening_fence(std::string_view line) {
    Scanner scanner(line);
    auto const indent = scanner.take_while(is_space, 3);
    if (scanner.at_end())
        return std::nullopt;
    char const sign = scanner.rest().front();
    auto const length = scanner.take_while([&](char c) { return c == sign; });
    if ((sign != '`' && sign != '~') || length < 3)
        return std::nullopt;
    if (sign == '`' && scanner.rest().find('`') != std::string_view::npos)
        return std::nullopt;
    scanner.take_while(is_blank);
    std::string tag(scanner.rest().substr(0, scanner.rest().find_first_of(" \t")));
    for (char& c : tag)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return Fence{indent, sign, length, std::move(tag)};
}

bool closes(std::string_view line, Fence const& fence) {
    Scanner scanner(line);
    scanner.take_while(is_space, 3);
    auto const length = scanner.take_while([&](char c) { return c == fence.sign; });
    scanner.take_while(is_blank);
    return length >= fence.length && scanner.at_end();
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
    return tag == "python" || tag == "python3" || tag == "py" || tag == "py3";
}

}  // namespace

std::optional<std::string> extract(std::string_view reply) {
    constexpr std::string_view END_OF_THOUGHT = "</think>";
    if (auto const thought = reply.rfind(END_OF_THOUGHT); thought != std::string_view::npos)
        reply.remove_prefix(thought + END_OF_THOUGHT.size());
    auto const text = replaced(reply, "\r\n", "\n");
    std::string tagged;
    std::string untagged;
    Lines lines(text);
    while (auto const line = lines.next()) {
        auto const fence = opening_fence(*line);
        if (!fence)
            continue;
        auto code = code_of(*fence, lines);
        if (!is_python(fence->tag) && !fence->tag.empty())
            continue;
        auto& longest = fence->tag.empty() ? untagged : tagged;
        if (code.size() >= longest.size())
            longest = std::move(code);
    }
    auto& answer = tagged.empty() ? untagged : tagged;
    if (answer.empty())
        return std::nullopt;
    return std::move(answer);
}

}  // namespace agentloop
