#include "routing/signals/server_report.hpp"

#include "routing/signals/metrics_text.hpp"

#include <catch2/catch.hpp>

using namespace sluice::signals;

namespace {

// As the servers write them, shortened.
const char* const vllm = R"(# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="meta/llama"} 7.0
vllm:num_requests_running{engine="1",model_name="meta/llama"} 2.0
vllm:num_requests_waiting{engine="0",model_name="meta/llama"} 3.0
vllm:num_requests_waiting{engine="1",model_name="meta/llama"} 0.0
vllm:kv_cache_usage_perc{engine="0",model_name="meta/llama"} 0.5
vllm:kv_cache_usage_perc{engine="1",model_name="meta/llama"} 0.25
vllm:gpu_cache_usage_perc{engine="0",model_name="meta/llama"} 0.9
vllm:cache_config_info{block_size="16",cache_dtype="auto",num_gpu_blocks="1000",prefix_caching_hash_algo="builtin"} 1.0
vllm:lora_requests_info{max_lora="4",running_lora_adapters="old",waiting_lora_adapters=""} 1.7e+09
vllm:lora_requests_info{max_lora="4",running_lora_adapters="sql, chat",waiting_lora_adapters="law"} 1.8e+09
vllm:engine_sleep_state{engine="0",sleep_state="awake"} 1.0
vllm:engine_sleep_state{engine="0",sleep_state="discard_all"} 0.0
vllm:request_success_total{engine="0",finished_reason="stop"} 1.6e+02
vllm:e2e_request_latency_seconds_bucket{le="+Inf"} 160.0
process_start_time_seconds 1.75e+09
)";

const char* const triton = R"(nv_trt_llm_request_metrics{model="tllm",request_type="waiting",version="1"} 1
nv_trt_llm_request_metrics{model="tllm",request_type="context",version="1"} 9
nv_trt_llm_request_metrics{model="tllm",request_type="scheduled",version="1"} 4
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction",model="tllm",version="1"} 0.0045
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="tokens_per",model="tllm",version="1"} 64
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="max",model="tllm",version="1"} 6239
nv_inference_pending_request_count{model="tllm"} 5
)";

}  // namespace

TEST_CASE("vLLM's metrics: ranks are added up, the newest adapters count, the younger name wins") {
    const auto r = read_metrics(vllm, {});
    REQUIRE(r);
    CHECK(r->running == 9);
    CHECK(r->waiting == 3);
    CHECK(r->kv_use == Approx(0.375));
    CHECK(r->kv_tokens == 16000);
    CHECK(r->adapters_active == std::vector<std::string>{"sql", "chat", "law"});
    CHECK(r->adapter_slots == 4);
    CHECK_FALSE(r->asleep);
    CHECK(r->started == Approx(1.75e9));
}

TEST_CASE("Triton's metrics are told apart by their labels") {
    const auto r = read_metrics(triton, {});
    REQUIRE(r);
    CHECK(r->running == 4);
    CHECK(r->waiting == 1);
    CHECK(r->kv_use == Approx(0.0045));
    CHECK(r->kv_tokens == 64 * 6239);
}

TEST_CASE("other servers are known by their names") {
    const auto sglang = read_metrics(
        "sglang:num_running_reqs{a=\"b\"} 2\nsglang:num_queue_reqs 1\nsglang:token_usage 0.3\n"
        "sglang:cache_config_info{page_size=\"64\",num_pages=\"10\"} 1\n",
        {});
    REQUIRE(sglang);
    CHECK((sglang->running == 2 && sglang->waiting == 1 && sglang->kv_tokens == 640));
    CHECK(sglang->kv_use == Approx(0.3));
    const auto tgi = read_metrics("tgi_queue_size 4\ntgi_batch_current_size 8\n", {});
    REQUIRE(tgi);
    CHECK((tgi->running == 8 && tgi->waiting == 4 && tgi->kv_use < 0 && tgi->kv_tokens < 0));
    const auto trtllm = read_metrics(
        "trtllm_num_requests_running 1\ntrtllm_kv_cache_utilization 0.5\n"
        "trtllm_kv_cache_tokens_per_block 32\ntrtllm_kv_cache_max_blocks 100\n",
        {});
    REQUIRE(trtllm);
    CHECK((trtllm->running == 1 && trtllm->kv_tokens == 3200));
    const auto llama = read_metrics("llamacpp:requests_processing 1\nllamacpp:requests_deferred 2\n", {});
    REQUIRE(llama);
    CHECK((llama->running == 1 && llama->waiting == 2));
}

TEST_CASE("names of the operator's own come first") {
    const auto r = read_metrics("my_running 5\nvllm:num_requests_running 2\nmy_room 77\n",
                                {{"running", "my_running"}, {"kv_tokens", "my_room"}});
    REQUIRE(r);
    CHECK(r->running == 5);
    CHECK(r->kv_tokens == 77);
    CHECK(is_signal("waiting"));
    CHECK_FALSE(is_signal("speed"));
}

TEST_CASE("a server whose weights are away is asleep") {
    const auto r = read_metrics("vllm:num_requests_running 0\nvllm:engine_sleep_state{sleep_state=\"awake\"} 0\n", {});
    REQUIRE(r);
    CHECK(r->asleep);
}

TEST_CASE("what is no sample is passed over, and a page of something else is no report") {
    const auto r = read_metrics(
        "vllm:num_requests_running\nvllm:num_requests_running{ 1\nvllm:num_requests_running NaN\n"
        "vllm:num_requests_running 1x\nvllm:num_requests_running +3 1700000000\r\n"
        "vllm:kv_cache_usage_perc 7\nvllm:num_requests_waiting -4\n",
        {});
    REQUIRE(r);
    CHECK(r->running == 3);
    CHECK(r->kv_use == 1);
    CHECK(r->waiting == 0);
    CHECK_FALSE(read_metrics("", {}));
    CHECK_FALSE(read_metrics("<html>\n", {}));
    CHECK_FALSE(read_metrics("process_start_time_seconds 5\n", {}));
    CHECK_FALSE(read_metrics(std::string(100'000, 'x') + "\nvllm:num_requests_running 1\n", {}));
}

TEST_CASE("labels are unescaped, and broken ones are none") {
    CHECK(label_of(R"(a="x", b="q\"u\\o\nte",c="")", "b") == "q\"u\\o\nte");
    CHECK(label_of(R"(a="x",c="")", "c") == "");
    CHECK_FALSE(label_of(R"(a="x",c="y")", "d"));
    CHECK_FALSE(label_of(R"(a="x)", "a"));
    CHECK_FALSE(label_of("a=x", "a"));
    CHECK_FALSE(label_of("", "a"));
}

TEST_CASE("load reports of answers come as text or as JSON") {
    const auto text = read_load_header(
        "TEXT named_metrics.kv_cache_usage_perc=0.4, named_metrics.num_requests_waiting=1, cpu_utilization=0.3");
    REQUIRE(text);
    CHECK(text->kv_use == Approx(0.4));
    CHECK(text->waiting == 1);
    CHECK(text->running < 0);
    const auto json =
        read_load_header(R"(JSON {"named_metrics": {"kv_cache_usage_perc": 0.4, "num_requests_running": 3}})");
    REQUIRE(json);
    CHECK(json->running == 3);
    for (const char* bad : {"", "TEXT", "TEXT ", "JSON {", "JSON {}", "JSON {\"named_metrics\":[]}", "BIN abc",
                            "TEXT named_metrics.kv_cache_usage_perc=-1", "TEXT named_metrics.kv_cache_usage_perc=nan",
                            "TEXT named_metrics.other=1", "TEXT kv_cache_usage_perc=1"}) {
        CAPTURE(bad);
        CHECK_FALSE(read_load_header(bad));
    }
}
