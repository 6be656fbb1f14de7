#include "endpoint.hpp"

#include <new>

#include "canonical.hpp"
#include "text.hpp"

namespace agentloop {

namespace {

constexpr std::size_t REASON_LIMIT_CHARACTERS = 300;

/// The first characters of `text`, which is UTF-8.
std::string_view beginning(std::string_view text, std::size_t characters) {
    for (std::size_t index = 0; index < text.size(); ++index) {
        bool const begins_character = (static_cast<unsigned char>(text[index]) & 0xC0) != 0x80;
        if (begins_character && characters-- == 0)
            return text.substr(0, index);
    }
    return text;
}

}  // namespace

Endpoint::Endpoint(std::string_view base_url, std::string_view api_key, Timeouts const& timeouts,
                   TransportRetries const& transport)
    : timeouts_(timeouts), transport_(transport) {
    while (base_url.ends_with('/'))
        base_url.remove_suffix(1);
    url_ = std::string(base_url) + "/chat/completions";
    add_header("Accept: text/event-stream");
    add_header("Content-Type: application/json");
    // Without a value it is not sent, not even where libcurl would.
    add_header("Expect:");
    if (api_key.empty())
        return;
    add_header("Authorization: Bearer " + std::string(api_key));
    // As it is, and as it is within JSON.
    std::string quoted;
    append_quoted(quoted, api_key);
    key_spellings_ = {std::string(api_key), quoted.substr(1, quoted.size() - 2)};
}

std::string Endpoint::presentable(std::string_view reason) const {
    std::string text = decoded(reason);
    // Before anything is cut, so that no part of the key is left.
    for (std::string const& spelling : key_spellings_) {
        text = replaced(text, spelling, "***");
        for (std::size_t length = spelling.size() - 1; length > 0; --length)
            text = replaced(text, spelling.substr(0, length) + std::string(CUT), "***" + std::string(CUT));
    }
    return std::string(beginning(in_one_line(text), REASON_LIMIT_CHARACTERS));
}

void Endpoint::add_header(std::string const& header) {
    curl_slist* const longer = curl_slist_append(headers_.get(), header.c_str());
    if (!longer)
        throw std::bad_alloc();
    static_cast<void>(headers_.release());
    headers_.reset(longer);
}

}  // namespace agentloop
