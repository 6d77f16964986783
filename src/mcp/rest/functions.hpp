// The functions that templates may call. Names and orders of arguments are Go's and Sprig's; the last argument is
// what a pipeline hands on.
//
//   logic     and or not eq ne lt le gt ge empty default coalesce ternary
//   data      index get hasKey dig keys values dict list first last rest initial append prepend concat reverse uniq
//             compact has len slice gjson
//   json      toJson mustToJson toRawJson toPrettyJson fromJson mustFromJson
//   text      print println printf quote squote upper lower title trim trimAll trimPrefix trimSuffix trunc abbrev
//             replace contains hasPrefix hasSuffix repeat join split splitList nospace indent nindent cat substr
//   encoding  b64enc b64dec urlquery html sha256sum
//   numbers   add add1 sub mul div mod max min floor ceil round int int64 float64 atoi
//   others    toString toStrings kindOf uuidv4 now date dateInZone unixEpoch getRealIP getSocketIP
//
// gjson takes a path over the whole data, see json_path.hpp. Arithmetic on missing or odd values counts them as 0,
// as Sprig does. dateInZone knows UTC, offsets such as +08:00 and the zones of time_format.hpp.
#pragma once

#include "mcp/rest/template.hpp"

#include <span>
#include <string_view>

namespace sluice::mcp::rest {

// One call as a function sees it.
struct call {
    std::span<const value> args;
    const value& root;
    const template_context& context;
};

struct function {
    std::string_view name;
    unsigned args_min;
    unsigned args_max;
    result<value> (*run)(const call& c);
    // Returns one of its arguments or a part of one, which keeps its own trust; else the result is trusted where
    // every argument is.
    bool selects = false;
};

inline constexpr unsigned any_number = 1000;

// nullptr: there is none of that name. And the sorts, each in its own file, which find_function() searches.
const function* find_function(std::string_view name);
// `; did you mean "toJson"?`, or nothing.
std::string function_hint(std::string_view name);

std::span<const function> logic_functions();
std::span<const function> data_functions();
std::span<const function> text_functions();
std::span<const function> other_functions();

}  // namespace sluice::mcp::rest
