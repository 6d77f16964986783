#include "http/settable_header.hpp"

#include "http/hop_by_hop.hpp"

#include <sluice/message.hpp>

namespace sluice::http {

bool settable_header(std::string_view name) {
    return valid_header_name(name) && !is_hop_by_hop(name) && !iequals(name, "host") &&
           !iequals(name, "content-length") && !iequals(name, "expect");
}

}  // namespace sluice::http
