#include "base_url.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "scanner.hpp"
#include "text.hpp"

namespace agentloop {
namespace {

constexpr int HTTP_PORT = 80;
constexpr int HTTPS_PORT = 443;

bool is_of_label(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

/// Labels with dots between them, and perhaps one at the end.
bool is_name(std::string_view text) {
    constexpr std::size_t LONGEST_LABEL = 63;
    Scanner scanner(text);
    do {
        auto const length = scanner.take_while(is_of_label);
        if (length == 0 || length > LONGEST_LABEL)
            return false;
    } while (scanner.take(".") && !scanner.at_end());
    return scanner.at_end();
}

bool is_ipv6_address(std::string_view text) {
    in6_addr address;
    return inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

/// The port that digits name, or none.
std::optional<int> port_of(std::string_view digits) {
    constexpr int LARGEST_PORT = 65535;
    constexpr std::size_t MOST_DIGITS = 5;
    int port = 0;
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    bool const is_port = error == std::errc() && end == digits.data() + digits.size() && port >= 1 &&
                         port <= LARGEST_PORT && digits.size() <= MOST_DIGITS;
    return is_port ? std::optional(port) : std::nullopt;
}

bool is_of_target(char c) {
    return c > ' ' && c <= '~' && c != '#' && c != '\\';
}

}  // namespace

std::optional<BaseUrl> parse_base_url(std::string_view text) {
    auto const end_of_scheme = text.find("://");
    auto const scheme = in_lower_case(text.substr(0, end_of_scheme));
    if (end_of_scheme == std::string_view::npos || (scheme != "http" && scheme != "https"))
        return std::nullopt;
    BaseUrl url{.tls = scheme == "https", .host = {}, .port = 0, .host_header = {}, .target = {}};
    url.port = url.tls ? HTTPS_PORT : HTTP_PORT;

    auto const authority = text.substr(end_of_scheme + 3);
    auto target = authority.substr(std::min(authority.find_first_of("/?"), authority.size()));
    url.host_header = authority.substr(0, authority.size() - target.size());
    Scanner rest(url.host_header);
    bool const is_address = rest.take("[");
    url.host = rest.rest().substr(0, rest.rest().find(is_address ? ']' : ':'));
    rest.take(url.host);
    if (is_address ? !is_ipv6_address(url.host) || !rest.take("]") : !is_name(url.host))
        return std::nullopt;
    if (rest.take(":")) {
        auto const port = port_of(rest.rest());
        if (!port)
            return std::nullopt;
        url.port = *port;
    } else if (!rest.at_end()) {
        return std::nullopt;
    }

    if (!std::all_of(target.begin(), target.end(), is_of_target))
        return std::nullopt;
    auto path = target.substr(0, target.find('?'));
    auto const query = target.substr(path.size());
    while (path.ends_with('/'))
        path.remove_suffix(1);
    url.target.append(path).append("/chat/completions").append(query);
    return url;
}

}  // namespace agentloop
