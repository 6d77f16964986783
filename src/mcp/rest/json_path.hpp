// Paths of gjson (github.com/tidwall/gjson, SYNTAX.md) over a value.
//
//   a.b.0       members and elements          a\.b        a key with a dot
//   a*  ?b      the first key that matches    list.#      how many
//   list.#.x    x of every element            a|b         as a.b, but of the whole list behind #
//   list.#(x==1).y  list.#(x>1)#.y            the first, or all, that match: == != < <= > >= % !% (patterns)
//   list.#(x)   that have x                   list.#(=="v")    of plain elements
//   @reverse @keys @values @this @flatten @ugly
//
// Left out: multipaths ({a,b} and [a,b]), @join and the other modifiers, JSON lines (..). They are errors.
#pragma once

#include "mcp/rest/value.hpp"

#include <string_view>

namespace sluice::mcp::rest {

// Error: bad_request for a path that is none of these, or deeper than 64 steps.
result<value> find_path(const value& root, std::string_view path);

}  // namespace sluice::mcp::rest
