#include "stages/ext_proc/ext_proc_config.hpp"

#include "base/ascii.hpp"
#include "http/authority.hpp"
#include "stages/ext_proc/request_view.hpp"

namespace sluice::ext_proc_stage {
namespace {

using ext_proc::body_mode;
using ext_proc::failure_mode;

constexpr std::size_t envelope_bytes = 128 << 10;  // of a message, around a body

void check_modes(config_reader& r, const ext_proc::session_config& s) {
    if (s.request_body == body_mode::full_duplex && !s.request_headers)
        r.problem("request_headers", "must be send when request bodies travel full_duplex");
    if (s.response_body == body_mode::full_duplex && !s.response_headers)
        r.problem("response_headers", "must be send when bodies of replies travel full_duplex");
    const bool says = s.request_headers || s.response_headers || s.request_body != body_mode::none ||
                      s.response_body != body_mode::none;
    if (!says) r.problem("", "nothing of a request or its reply is sent to the processor");
    const auto streams = [](body_mode m) { return m == body_mode::none || m == body_mode::streamed; };
    if (s.observe_only && !streams(s.request_body))
        r.problem("request_body", "must be none or streamed in observability_mode");
    if (s.observe_only && !streams(s.response_body))
        r.problem("response_body", "must be none or streamed in observability_mode");
}

}  // namespace

ext_proc_config::ext_proc_config() {
    session.request_body = session.response_body = body_mode::none;
    session.must_pick = false;
    session.destinations = ext_proc::destination_mode::ignored;
    session.allow_path = session.allow_status = true;
    session.message_timeout = std::chrono::milliseconds(200);
}

void read(config_reader& r, ext_proc_config& c) {
    ext_proc::session_config& s = c.session;
    r.field("name", c.name, "Names the processor in metrics; its target if absent.");
    r.field("target", c.target, "host:port of the processor's gRPC service.", required);
    const auto parsed = http::parse_authority(c.target);
    if (!c.target.empty() && (!parsed || parsed->port == 0)) r.problem("target", "host:port is expected");
    r.section("tls", c.tls, "TLS towards it; plain HTTP/2 if absent.");
    const std::initializer_list<enum_name<bool>> shown{{"send", true}, {"skip", false}};
    const std::initializer_list<enum_name<body_mode>> modes{{"none", body_mode::none},
                                                            {"streamed", body_mode::streamed},
                                                            {"buffered", body_mode::buffered},
                                                            {"full_duplex", body_mode::full_duplex}};
    r.one_of<bool>("request_headers", s.request_headers, shown, "Show it the heads of requests.");
    r.one_of<body_mode>("request_body", s.request_body, modes, "How request bodies travel to it.");
    r.one_of<bool>("response_headers", s.response_headers, shown, "Show it the heads of replies.");
    r.one_of<body_mode>("response_body", s.response_body, modes, "How bodies of replies travel to it.");
    r.field("message_timeout", s.message_timeout, "For each answer.", {.min = 0.001});
    r.field("message_timeout_max", s.message_timeout_max, "The longest it may ask for; 0s: it may not.");
    s.first_response = s.message_timeout;
    r.field("first_response", s.first_response,
            "For the first answer behind the end of a full_duplex request; as message_timeout if absent.",
            {.min = 0.001});
    r.one_of<failure_mode>("failure_mode", s.on_failure,
                           {{"closed", failure_mode::closed}, {"open", failure_mode::open}},
                           "What follows when it fails: closed is an error, open goes on without it.");
    r.field("allow_mode_override", s.allow_mode_override, "Its answers to heads may change what it is sent.");
    r.field("observability_mode", s.observe_only, "It is shown everything, and nobody waits for its answers.");
    r.field("request_attributes", c.request_attributes, "Attributes that it is told beside the head of a request.");
    for (const std::string& name : c.request_attributes) {
        if (!known_attribute(name)) r.problem("request_attributes", "there is no attribute \"" + name + "\"");
    }
    if (!c.request_attributes.empty() && !s.request_headers)
        r.problem("request_attributes", "travel with the heads of requests, which are not sent");
    r.section("forward_headers", s.headers, "Which header fields the processor is shown.");
    r.field("model_headers", c.model_headers, "Request headers in which it says which model it chose.");
    for (std::string& name : c.model_headers) {
        for (char& letter : name) letter = ascii::lower(letter);
    }
    r.field("body_bytes_max", c.body_bytes_max, "The largest body that it is given or may give.", {.min = 1024});
    s.limits.body_bytes_max = c.body_bytes_max.value;
    s.limits.message_bytes_max = c.body_bytes_max.value + envelope_bytes;
    s.limits.reply_bytes_max = c.body_bytes_max.value;
    if (c.name.empty()) c.name = c.target;
    check_modes(r, s);
}

}  // namespace sluice::ext_proc_stage
