// Which route serves a request: host, path, method and headers, in the order of the file.
//
// The first route that matches wins, so the file reads from the special to the general. One table per
// worker and configuration; an exchange keeps its table alive, so a reload never pulls stages from
// under a stream.
#pragma once

#include <sluice/config.hpp>
#include <sluice/message.hpp>
#include <sluice/stage.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// `match:` of a route. What is not given matches everything.
struct match_config {
    std::vector<std::string> hosts;              // "api.example.com" or "*.example.com", without port
    std::vector<std::string> paths;              // "/v1/models", "/v1/*", "/v1/files/{id}/content"
    std::vector<std::string> methods;            // upper case
    std::map<std::string, std::string> headers;  // name: glob of its value; "*" is any value, "" absent
};
void read(config_reader& r, match_config& c);

struct route_limits {
    byte_size body_bytes{8u << 20};
    std::chrono::milliseconds body_stall{30000};   // between two pieces of a request body
    std::chrono::milliseconds write_stall{60000};  // the client takes nothing
    std::chrono::milliseconds total{1800000};      // the whole exchange
    bool tolerate_half_close = false;              // a client's FIN does not abort its exchange
};
void read(config_reader& r, route_limits& c);

// One pattern of a path: literal segments, `{name}` or `*` for exactly one segment, `/*` at the end for any rest.
class path_pattern {
public:
    explicit path_pattern(std::string_view text);
    bool matches(std::string_view path) const;

private:
    std::vector<std::string> segments_;  // empty string: any one segment
    bool open_ended_ = false;
};

struct route {
    std::string name;
    match_config match;
    std::vector<path_pattern> paths;
    route_limits limits;
    std::vector<std::unique_ptr<stage>> stages;

    bool matches(const request_head& request, std::string_view path) const;
};

class route_table {
public:
    std::vector<route> routes;
    std::uint64_t generation = 0;  // of the configuration

    // `path` is the normalised path. Null: no route.
    const route* find(const request_head& request, std::string_view path) const;
};

}  // namespace sluice
