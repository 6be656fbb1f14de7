#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "json_text.hpp"
#include "temporary_folder.hpp"

/// The cases of a file of runtimes/contract/vectors/.
inline nlohmann::json vectors(std::string const& name) {
    auto cases = agentloop::parse_json(text_of(CONTRACT_FOLDER "/vectors/" + name + ".json"));
    if (cases.empty())
        throw std::runtime_error(name + ".json holds no cases");
    return cases;
}

/// The bytes that a string in base64 stands for. Source: RFC 4648.
inline std::string from_base64(std::string_view text) {
    constexpr std::string_view SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    unsigned bits = 0;
    int count = 0;
    for (char const sign : text.substr(0, text.find('='))) {
        bits = bits << 6 | static_cast<unsigned>(SIGNS.find(sign));
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes += static_cast<char>(bits >> count);
        }
    }
    return bytes;
}

/// The bytes of a field, which are in base64 where they are not text.
inline std::string bytes_of(nlohmann::json const& one, std::string const& field) {
    auto const encoded = one.find(field + "_base64");
    return encoded == one.end() ? one.at(field).get<std::string>() : from_base64(encoded->get<std::string>());
}

/// A number or nothing.
inline std::optional<int> optional_number(nlohmann::json const& value) {
    return value.is_null() ? std::nullopt : std::optional(value.get<int>());
}
