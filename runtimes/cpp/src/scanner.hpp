#pragma once

#include <cstddef>
#include <string_view>

namespace agentloop {

/// Goes through a text from left to right; what matches is taken, what does not leaves it where it is.
///
/// In place of std::regex, whose stack grows with the text.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    std::string_view rest() const { return rest_; }
    bool at_end() const { return rest_.empty(); }

    /// Passes over one character; there must be one.
    void skip() { rest_.remove_prefix(1); }

    /// Takes `literal`, if it comes next.
    bool take(std::string_view literal) {
        if (!rest_.starts_with(literal))
            return false;
        rest_.remove_prefix(literal.size());
        return true;
    }

    /// Takes all characters that `belongs` accepts; returns how many there were, `at_most` at most.
    template <typename Belongs>
    std::size_t take_while(Belongs belongs, std::size_t at_most = std::string_view::npos) {
        std::size_t count = 0;
        while (count < rest_.size() && count < at_most && belongs(rest_[count]))
            ++count;
        rest_.remove_prefix(count);
        return count;
    }

  private:
    std::string_view rest_;
};

inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

inline bool is_hexadecimal(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Takes what pytest prints of a duration, as ` in 0.12s` or ` in 75.30s (0:01:15)`, if it comes next.
///
/// Source: runtimes/contract/vectors/README.md, rule 5 of feedback.json.
bool take_duration(Scanner& scanner);

}  // namespace agentloop
