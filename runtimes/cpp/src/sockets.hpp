#pragma once

#include <curl/curl.h>

#include <compare>
#include <map>
#include <optional>
#include <string>

namespace agentloop {

/// Both ends of a connection, which together no other has.
struct Ends {
    std::string local_ip;
    int local_port;
    std::string remote_ip;
    int remote_port;

    std::strong_ordering operator<=>(Ends const&) const = default;
};

/// The sockets of open connections, by their ends: by these alone libcurl says which connection it uses.
class Sockets {
  public:
    /// Adds a socket if it is connected.
    void add(curl_socket_t socket);

    /// The socket of a connection, if it has been added.
    std::optional<curl_socket_t> find(Ends const& ends) const;

    /// Takes out a socket that is about to be closed, if it has been added.
    void remove(curl_socket_t socket);

  private:
    using ByEnds = std::map<Ends, curl_socket_t>;

    ByEnds by_ends_;
    std::map<curl_socket_t, ByEnds::iterator> places_;
};

}  // namespace agentloop
