#include "routing/signals/model_list.hpp"

#include <catch2/catch.hpp>

using namespace sluice::signals;

TEST_CASE("adapters are the models that name a parent") {
    const auto m = read_model_list(R"({"object":"list","data":[
        {"id":"meta/llama","object":"model","parent":null,"max_model_len":8192},
        {"id":"sql","object":"model","parent":"meta/llama","max_model_len":null},
        {"id":"other","max_model_len":4096}, {"id":7}, 3, {"id":""}]})");
    REQUIRE(m.has_value());
    CHECK(m->base == std::vector<std::string>{"meta/llama", "other"});
    CHECK(m->adapters == std::vector<std::string>{"sql"});
    CHECK(m->context_max == 8192);
}

TEST_CASE("what is no list of models is an error") {
    for (const char* text : {"", "[]", "{}", R"({"data":{}})", R"({"data":[)"}) {
        CAPTURE(text);
        CHECK_FALSE(read_model_list(text).has_value());
    }
}
