#include "line_reader.hpp"

#include <cstdlib>

#include "errors.hpp"

namespace agentloop {

LineReader::~LineReader() {
    std::free(buffer_);
}

std::optional<std::string_view> LineReader::next() {
    auto const length = getline(&buffer_, &capacity_, file_);
    if (length < 0 && std::feof(file_) != 0)
        return std::nullopt;
    if (length < 0)
        throw system_failure("a line cannot be read");
    std::string_view line(buffer_, static_cast<std::size_t>(length));
    if (line.ends_with('\n'))
        line.remove_suffix(1);
    return line;
}

}  // namespace agentloop
