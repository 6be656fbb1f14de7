#include "sockets.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <utility>

namespace agentloop {
namespace {

/// The address and the port of one end, as `getsockname` or `getpeername` tells it, or none.
template <typename NameOf>
std::optional<std::pair<std::string, int>> end_of(curl_socket_t socket, NameOf name_of) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (name_of(socket, reinterpret_cast<sockaddr*>(&storage), &size) != 0)
        return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (storage.ss_family == AF_INET6) {
        auto const& address = reinterpret_cast<sockaddr_in6 const&>(storage);
        inet_ntop(AF_INET6, &address.sin6_addr, text.data(), text.size());
        return std::pair(std::string(text.data()), ntohs(address.sin6_port));
    }
    auto const& address = reinterpret_cast<sockaddr_in const&>(storage);
    inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
    return std::pair(std::string(text.data()), ntohs(address.sin_port));
}

}  // namespace

void Sockets::add(curl_socket_t socket) {
    auto const local = end_of(socket, getsockname);
    auto const remote = end_of(socket, getpeername);
    if (!local || !remote)
        return;
    remove(socket);
    auto const [place, is_new] =
        by_ends_.insert_or_assign({local->first, local->second, remote->first, remote->second}, socket);
    places_.insert_or_assign(socket, place);
}

std::optional<curl_socket_t> Sockets::find(Ends const& ends) const {
    auto const found = by_ends_.find(ends);
    return found == by_ends_.end() ? std::nullopt : std::optional(found->second);
}

void Sockets::remove(curl_socket_t socket) {
    auto const place = places_.find(socket);
    if (place == places_.end())
        return;
    by_ends_.erase(place->second);
    places_.erase(place);
}

}  // namespace agentloop
