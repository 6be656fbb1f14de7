#include "fields.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "file_descriptor.hpp"
#include "json_text.hpp"

namespace agentloop {
namespace {

using nlohmann::json;

/// A value for a message, not too long.
std::string shown(json const& value) {
    constexpr std::size_t LIMIT = 60;
    bool const ensure_ascii = true;
    auto const text = value.dump(-1, ' ', ensure_ascii);
    return text.size() <= LIMIT ? text : text.substr(0, LIMIT) + "…";
}

bool is_argument(json const& value) {
    return value.is_string() && value.get_ref<std::string const&>().find('\0') == std::string::npos;
}

bool is_variable(std::string const& name, json const& value) {
    constexpr std::string_view NOT_IN_NAMES("=\0", 2);
    return !name.empty() && name.find_first_of(NOT_IN_NAMES) == std::string::npos && is_argument(value);
}

std::string text_of_file(std::string const& path) {
    std::array<char, 16 * 1024> piece;
    std::string text;
    FileDescriptor const file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    auto length = file ? read(file.get(), piece.data(), piece.size()) : -1;
    for (; length > 0; length = read(file.get(), piece.data(), piece.size()))
        text.append(piece.data(), static_cast<std::size_t>(length));
    if (length < 0)
        throw InvalidInput(path + ": cannot be read (" + std::strerror(errno) +
                           "); name a UTF-8 file that is there");
    return text;
}

}  // namespace

Fields::Fields(std::string where, json values, std::string prefix)
    : where_(std::move(where)),
      values_(std::make_shared<json const>(std::move(values))),
      prefix_(std::move(prefix)) {}

Fields Fields::of_file(std::string const& path) {
    return of_text(path, text_of_file(path));
}

Fields Fields::of_text(std::string const& where, std::string_view text) {
    json value;
    try {
        value = parse_json(text);
    } catch (NotJson const& failure) {
        throw InvalidInput(where + ": is not JSON (" + failure.what() + "); write one JSON object there");
    }
    if (!value.is_object())
        throw InvalidInput(where + ": holds " + shown(value) + "; write one JSON object there");
    return {where, std::move(value), ""};
}

std::string Fields::text(std::string const& name) const {
    return typed(name, &json::is_string, "a string").get<std::string>();
}

std::string Fields::argument(std::string const& name) const {
    auto value = text(name);
    if (!is_argument(value))
        throw invalid(name, "a string without NUL");
    return value;
}

std::vector<std::string> Fields::texts(std::string const& name) const {
    std::string const wanted = "a list of strings, at least one";
    auto const& values = typed(name, &json::is_array, wanted);
    if (values.empty() || !std::all_of(values.begin(), values.end(), is_argument))
        throw invalid(name, wanted);
    return values.get<std::vector<std::string>>();
}

std::map<std::string, std::string> Fields::environment(std::string const& name) const {
    std::string const wanted = "an object of strings";
    auto const& values = typed(name, &json::is_object, wanted);
    for (auto const& [variable, value] : values.items())
        if (!is_variable(variable, value))
            throw invalid(name, wanted);
    return values.get<std::map<std::string, std::string>>();
}

CanonicalFields Fields::object(std::string const& name) const {
    return canonical_fields(typed(name, &json::is_object, "an object"));
}

Fields Fields::fields(std::string const& name) const {
    return {where_, typed(name, &json::is_object, "an object"), prefix_ + name + "."};
}

std::int64_t Fields::integer(std::string const& name, std::int64_t at_least) const {
    constexpr auto LARGEST = std::numeric_limits<std::int64_t>::max();
    auto const* value = find(name);
    bool const fits = value != nullptr && value->is_number_integer() &&
                      !(value->is_number_unsigned() && value->get<std::uint64_t>() > LARGEST);
    if (!fits || value->get<std::int64_t>() < at_least)
        throw invalid(name, "an integer of at least " + std::to_string(at_least));
    return value->get<std::int64_t>();
}

std::int64_t Fields::integer(std::string const& name, std::int64_t at_least, std::int64_t absent) const {
    return find(name) != nullptr ? integer(name, at_least) : absent;
}

double Fields::positive(std::string const& name) const {
    auto const value = number(name);
    if (!(value > 0))
        throw invalid(name, "a number above 0");
    return value;
}

double Fields::not_negative(std::string const& name) const {
    auto const value = number(name);
    if (!(value >= 0))
        throw invalid(name, "a number of at least 0");
    return value;
}

double Fields::number(std::string const& name) const {
    auto const* value = find(name);
    return value != nullptr && value->is_number() ? value->get<double>()
                                                  : std::numeric_limits<double>::quiet_NaN();
}

std::string Fields::path(std::string const& name) const {
    auto const value = text(name);
    if (value.empty() || value.find('\0') != std::string::npos)
        throw invalid(name, "a path");
    std::error_code failure;
    auto const path = std::filesystem::weakly_canonical(std::filesystem::absolute(value), failure);
    if (failure)
        throw invalid(name, "a path that leads somewhere (" + failure.message() + ")");
    return path;
}

std::string Fields::writable_folder(std::string const& name) const {
    auto path = this->path(name);
    std::error_code failure;
    if (!std::filesystem::is_directory(path, failure) || access(path.c_str(), W_OK | X_OK) != 0)
        throw invalid(name, "an existing folder that can be written to");
    return path;
}

InvalidInput Fields::invalid(std::string const& name, std::string const& wanted) const {
    auto const* value = find(name);
    auto const found = value != nullptr ? "is " + shown(*value) : "is missing";
    return InvalidInput(where_ + ": " + prefix_ + name + " " + found + "; it must be " + wanted);
}

InvalidInput Fields::invalid_unshown(std::string const& name, std::string const& wanted) const {
    return InvalidInput(where_ + ": " + prefix_ + name + " (not shown) must be " + wanted);
}

json const* Fields::find(std::string const& name) const {
    auto const found = values_->find(name);
    return found == values_->end() ? nullptr : &*found;
}

json const& Fields::typed(std::string const& name, IsOfType is_of_type, std::string const& wanted) const {
    auto const* value = find(name);
    if (value == nullptr || !(value->*is_of_type)())
        throw invalid(name, wanted);
    return *value;
}

}  // namespace agentloop
