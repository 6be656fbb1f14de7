#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base_url.hpp"
#include "run_file.hpp"

namespace agentloop {

/// What follows a text of the endpoint that was cut, perhaps within the key.
inline constexpr std::string_view CUT = "…";

/// An OpenAI-compatible endpoint, and what all requests to it have in common. Threads may share it.
class Endpoint {
  public:
    /// With an empty `api_key` none is sent. Throws `std::bad_alloc`.
    Endpoint(BaseUrl const& url, std::string_view api_key, Timeouts const& timeouts,
             TransportRetries const& transport);

    /// Where to connect, as a URL.
    std::string const& origin() const { return origin_; }
    /// What is asked for there, as it is to be sent.
    std::string const& target() const { return target_; }
    curl_slist* headers() const { return headers_.get(); }
    Timeouts const& timeouts() const { return timeouts_; }
    TransportRetries const& transport() const { return transport_; }

    /// What the endpoint said in one short line without the key: endpoints are known to quote it.
    ///
    /// Source: runtimes/contract/vectors/reasons.json.
    std::string presentable(std::string_view reason) const;

  private:
    struct FreeHeaders {
        void operator()(curl_slist* headers) const { curl_slist_free_all(headers); }
    };

    void add_header(std::string const& header);

    std::string without_cut_keys(std::string_view text) const;

    std::string origin_;
    std::string target_;
    std::unique_ptr<curl_slist, FreeHeaders> headers_;
    std::vector<std::string> key_spellings_;
    Timeouts timeouts_;
    TransportRetries transport_;
};

}  // namespace agentloop
