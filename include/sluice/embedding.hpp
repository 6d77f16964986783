// Vectors of texts, as every dialect can ask for them and answer with them.
#pragma once

#include <sluice/answer.hpp>

#include <vector>

namespace sluice::chat {

struct embedding_request {
    json model;                // string; empty where it stands in the path
    std::vector<json> inputs;  // strings, or arrays of token numbers (OpenAI)
    bool single = false;       // the client gave one input instead of a list
    json dimensions;           // number
    bool base64 = false;       // vectors as base64 of little-endian floats (OpenAI's encoding_format)
    json purpose;              // string: what the vectors are for, in Gemini's names ("RETRIEVAL_QUERY")
    json title;                // string: of the document (Gemini)
    json user;                 // string
    extra_fields extras;
    std::string_view dialect;  // name() of the one that read it

    text_arena arena;
};

struct embedding_answer {
    json id;                    // string
    json model;                 // string
    std::vector<json> vectors;  // each an array of numbers, or a base64 string where that was asked for and given
    token_usage usage;

    text_arena arena;
};

}  // namespace sluice::chat
