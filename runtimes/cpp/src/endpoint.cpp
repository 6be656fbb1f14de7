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

Endpoint::Endpoint(BaseUrl const& url, std::string_view api_key, Timeouts const& timeouts,
                   TransportRetries const& transport)
    : target_(url.target), timeouts_(timeouts), transport_(transport) {
    bool const is_ipv6_address = url.host.find(':') != std::string::npos;
    origin_ = (url.tls ? "https://" : "http://") + (is_ipv6_address ? '[' + url.host + ']' : url.host) + ':' +
              std::to_string(url.port);
    add_header("Host: " + url.host_header);
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
    quoted = quoted.substr(1, quoted.size() - 2);
    key_spellings_ = {std::string(api_key), quoted, replaced(quoted, "/", "\\/")};
}

std::string Endpoint::presentable(std::string_view reason) const {
    std::string text = decoded(reason);
    // Before anything is cut, so that no part of the key is left.
    for (std::string const& spelling : key_spellings_)
        text = replaced(text, spelling, "***");
    return std::string(beginning(in_one_line(without_cut_keys(text)), REASON_LIMIT_CHARACTERS));
}

std::string Endpoint::without_cut_keys(std::string_view text) const {
    std::string result;
    while (true) {
        auto const before = text.substr(0, text.find(CUT));
        if (before.size() == text.size())
            return result.append(text);
        std::size_t longest = 0;
        for (std::string_view const spelling : key_spellings_)
            for (std::size_t length = longest + 1; length < spelling.size(); ++length)
                if (before.ends_with(spelling.substr(0, length)))
                    longest = length;
        result.append(before.substr(0, before.size() - longest)).append(longest > 0 ? "***" : "").append(CUT);
        text.remove_prefix(before.size() + CUT.size());
    }
}

void Endpoint::add_header(std::string const& header) {
    curl_slist* const longer = curl_slist_append(headers_.get(), header.c_str());
    if (!longer)
        throw std::bad_alloc();
    static_cast<void>(headers_.release());
    headers_.reset(longer);
}

}  // namespace agentloop
