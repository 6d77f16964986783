#include "http/settable_header.hpp"

#include "http/hop_by_hop.hpp"

#include <sluice/message.hpp>

namespace sluice::http {

bool settable_header(std::string_view name) {
    return valid_header_name(name) && !is_hop_by_hop(name) && !iequals(name, "host") &&
           !iequals(name, "content-length") && !iequals(name, "expect");
}

bool settable_header(std::string_view name, std::string_view value) {
    return settable_header(name) && valid_header_value(value);
}

}  // namespace sluice::http
