#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace agentloop {

/// What a base URL says: where to connect, and the Host and the target of the requests.
struct BaseUrl {
    bool tls;
    std::string host;  ///< Without brackets.
    int port;
    std::string host_header;
    std::string target;
};

/// What `text`, which precedes `/chat/completions` and a query, says, or none without sense.
///
/// Source: runtimes/contract/vectors/base_url.json. libcurl's own parser takes users, fragments and more.
std::optional<BaseUrl> parse_base_url(std::string_view text);

}  // namespace agentloop
