// What vectors are for, in the words of Cohere's models, wherever they run.
#pragma once

#include "dialects/values.hpp"

#include <string_view>

namespace sluice::chat {

// `purpose` as in embedding_request: Gemini's names. Without one, or with one that is not known: documents to be
// searched.
inline std::string_view cohere_input_type(json purpose) {
    struct names {
        std::string_view gemini, cohere;
    };
    constexpr names known[] = {
        {"RETRIEVAL_QUERY", "search_query"},    {"CODE_RETRIEVAL_QUERY", "search_query"},
        {"QUESTION_ANSWERING", "search_query"}, {"FACT_VERIFICATION", "search_query"},
        {"CLASSIFICATION", "classification"},   {"CLUSTERING", "clustering"},
        {"SEMANTIC_SIMILARITY", "clustering"},
    };
    for (const names& n : known) {
        if (says(purpose, n.gemini)) return n.cohere;
    }
    return "search_document";
}

}  // namespace sluice::chat
