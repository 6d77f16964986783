// Small HTTP calls the gateway makes for itself: key sets, tokens, callouts, exports.
//
// They go through the same pools, DNS, TLS and address guard as model traffic; redirects are not followed.
#pragma once

#include <sluice/awaitable.hpp>
#include <sluice/message.hpp>
#include <sluice/result.hpp>

#include <chrono>
#include <string>

namespace sluice {

struct upstream_endpoint;  // exchange.hpp

struct fetch_request {
    std::string method = "GET";
    std::string url;  // http or https
    header_list headers;
    std::string body;
    std::chrono::milliseconds timeout{5000};  // for the whole call
    std::size_t body_bytes_max = 1 << 20;     // a longer reply is an error
    const upstream_endpoint* at = nullptr;  // where and how it is reached, instead of the URL's host; outlives the call
    bool allow_private = true;              // may the address be loopback or private? Off for URLs that clients chose.
};

struct fetch_reply {
    response_head head;
    std::string body;
};

class fetcher {
public:
    virtual awaitable<result<fetch_reply>> fetch(fetch_request request) = 0;

protected:
    ~fetcher() = default;
};

}  // namespace sluice
