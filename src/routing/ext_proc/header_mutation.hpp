// What a processor may change of a head.
#pragma once

#include "routing/ext_proc/session_config.hpp"

#include <sluice/message.hpp>
#include <sluice/result.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::ext_proc {

namespace wire {
class HeaderMutation;
}

// A head as a processor sees it: HTTP/2's pseudo headers beside the fields. Of a response only `status` is set.
struct message_head {
    std::string method, scheme, authority, path;
    int status = 0;
    header_list headers;
    std::vector<std::pair<std::string, std::string>> attributes = {};  // told beside a request: "request.path", ...
};

enum class direction : std::uint8_t { request, response };

struct mutation_outcome {
    std::size_t refused = 0;                 // changes that were not made, by the rules below
    std::optional<std::string> destination;  // the pick, if the mutation set it; never applied as a header
};

// Applies removals and then settings. Never touched, and counted as refused: fields that frame or address a message or
// end at a connection (Host, Content-Length, Transfer-Encoding, Connection, ...), pseudo headers other than :path and
// :authority of a request and :status of a reply where the configuration allows them, picker headers of requests but
// those for sidecars, and names or values that no head can hold. A setting without an action overwrites. Error:
// upstream_protocol when the mutation is larger than the limits.
result<mutation_outcome> apply_mutation(const wire::HeaderMutation& mutation, direction way,
                                        const session_config& config, message_head& head);

}  // namespace sluice::ext_proc
