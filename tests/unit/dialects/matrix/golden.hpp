// Files of expected text under tests/golden. With SLUICE_UPDATE_GOLDEN in the environment they are written instead of
// compared: look at what changed before it is committed.
#pragma once

#include <string>
#include <string_view>

namespace sluice::chat::test {

std::string read_golden(const std::string& path);
// Fails the test with both texts when they differ.
void check_golden(const std::string& path, std::string_view text);

// JSON on several lines, so that a change is seen where it is: what is longer than a line is broken.
std::string pretty(std::string_view json);

}  // namespace sluice::chat::test
