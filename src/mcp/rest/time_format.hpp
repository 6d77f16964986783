// Dates as Go writes them: by showing how Mon Jan 2 15:04:05 MST 2006 would look.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::mcp::rest {

// Seconds east of UTC: "UTC", "GMT", "Local" (UTC here), "", offsets such as "+08:00", and zones without summer
// time: Asia/Shanghai, Asia/Hong_Kong, Asia/Singapore, Asia/Taipei, Asia/Tokyo, Asia/Seoul, Asia/Kolkata. Nothing for
// the others, whose offset depends on a table of rules that is not read here.
std::optional<int> zone_offset(std::string_view zone);

// The layout's words 2006 06 01 1 Jan January 02 2 _2 Mon Monday 15 03 3 04 4 05 5 PM pm MST -0700 -07:00 Z07:00
// .000 (behind seconds, as many digits as zeros) are replaced, all else stays.
std::string format_time(std::string_view layout, std::chrono::sys_time<std::chrono::nanoseconds> when,
                        std::string_view zone, int offset);

}  // namespace sluice::mcp::rest
