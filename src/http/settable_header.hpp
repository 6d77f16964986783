// Which header fields a configuration may set on a message that is passed on.
#pragma once

#include <string_view>

namespace sluice::http {

// A field name other than those by which a message is framed, addressed or handed on: they are the codec's.
bool settable_header(std::string_view name);

}  // namespace sluice::http
