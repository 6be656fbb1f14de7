#include "sockets.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "file_descriptor.hpp"

using namespace agentloop;

namespace {

sockaddr_in address(char const* ip, int port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(static_cast<in_port_t>(port));
    REQUIRE(inet_pton(AF_INET, ip, &result.sin_addr) == 1);
    return result;
}

FileDescriptor bound(char const* ip, int port) {
    FileDescriptor result(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    auto const own = address(ip, port);
    REQUIRE(bind(result.get(), reinterpret_cast<sockaddr const*>(&own), sizeof own) == 0);
    return result;
}

int port_of(FileDescriptor const& socket) {
    sockaddr_in own{};
    socklen_t size = sizeof own;
    REQUIRE(getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size) == 0);
    return ntohs(own.sin_port);
}

FileDescriptor listener() {
    auto result = bound("127.0.0.1", 0);
    REQUIRE(listen(result.get(), 10) == 0);
    return result;
}

void connect_to(FileDescriptor const& socket, FileDescriptor const& listener) {
    auto const there = address("127.0.0.1", port_of(listener));
    REQUIRE(connect(socket.get(), reinterpret_cast<sockaddr const*>(&there), sizeof there) == 0);
}

}  // namespace

TEST_CASE("sockets with one local port are told apart by the rest of their ends") {
    auto const here = listener();
    auto const one = bound("127.0.0.1", 0);
    int const port = port_of(one);
    auto const other = bound("127.0.0.2", port);
    auto const unconnected = bound("127.0.0.3", port);
    connect_to(one, here);
    connect_to(other, here);
    Sockets sockets;
    for (int const socket : {one.get(), other.get(), unconnected.get()})
        sockets.add(socket);
    Ends const ends_of_one{"127.0.0.1", port, "127.0.0.1", port_of(here)};
    Ends const ends_of_other{"127.0.0.2", port, "127.0.0.1", port_of(here)};
    CHECK(sockets.find(ends_of_one) == one.get());
    CHECK(sockets.find(ends_of_other) == other.get());
    CHECK(!sockets.find({"127.0.0.3", port, "127.0.0.1", port_of(here)}));
    CHECK(!sockets.find({"127.0.0.1", port, "127.0.0.1", 1}));

    sockets.remove(unconnected.get());
    sockets.remove(other.get());
    CHECK(sockets.find(ends_of_one) == one.get());
    CHECK(!sockets.find(ends_of_other));
    sockets.add(one.get());
    sockets.remove(one.get());
    CHECK(!sockets.find(ends_of_one));
}
