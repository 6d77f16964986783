// A whole answer as the steps of a stream: for clients that wanted a stream of an upstream that gave none.
#pragma once

#include <sluice/answer.hpp>

#include <vector>

namespace sluice::chat {

// Appends the steps; their views are of the answer, whose arena keeps what had to be made.
void steps_of(answer& a, std::vector<stream_step>& out);

}  // namespace sluice::chat
