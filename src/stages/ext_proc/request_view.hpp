// A request as a processor sees it, and what it makes of the request.
#pragma once

#include "routing/ext_proc/processor_session.hpp"

#include <sluice/exchange.hpp>

#include <span>
#include <string>
#include <string_view>

namespace sluice::ext_proc_stage {

// Is this one of Envoy's attributes that we can tell? request.path, url_path, query, host, scheme, method, id,
// protocol, useragent, referer; source.address; xds.route_name.
bool known_attribute(std::string_view name);

// The whole head, whatever the processor is shown of it.
ext_proc::message_head head_of(const exchange& x, std::span<const std::string> attributes);

// Keeps method, target and headers of a request as they are now and puts them back at its end, on the frame of the
// stage: whoever repeats an attempt, or looks at the request afterwards, finds what the client sent.
class request_head_hold {
public:
    explicit request_head_hold(exchange& x) : x_(x), target_(x.request().target), headers_(x.request().headers) {}
    ~request_head_hold();
    request_head_hold(const request_head_hold&) = delete;
    request_head_hold& operator=(const request_head_hold&) = delete;

private:
    exchange& x_;
    std::string target_;
    header_list headers_;
};

// Puts what the processor made of a request into it. `model_headers`: where it may say which model it chose, which
// then stands in the body.
awaitable<void> apply(exchange& x, ext_proc::dispatch go, std::span<const std::string> model_headers);

}  // namespace sluice::ext_proc_stage
