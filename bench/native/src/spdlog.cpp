/* The spdlog peer: spdlog FILE RECORD POLICY. RECORD is message or fields, POLICY block or
 * overrun_oldest. The queue has spdlog's default size, and one thread writes. */
#include "worker.h"

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <thread>

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

namespace {

/* spdlog's flush only asks for one. This sink stands behind the file's, takes no records,
 * and sees when that was flushed. */
class witness final : public spdlog::sinks::sink {
public:
	std::atomic<int> flushes{0};
	witness() { set_level(spdlog::level::off); }
	void log(const spdlog::details::log_msg &) override {}
	void flush() override { flushes++; }
	void set_pattern(const std::string &) override {}
	void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
};

std::shared_ptr<spdlog::logger> logger;
std::shared_ptr<witness> behind;

void log_message(int64_t) { logger->info(spdlog::string_view_t(text, sizeof text - 1)); }

void log_fields(int64_t i)
{
	logger->info(FIELDS_TEXT " trial={} price={} symbol={}", (int)i, PRICE, SYMBOL);
}

LOOPS(log_message)
LOOPS(log_fields)

void flush()
{
	const int before = behind->flushes;
	logger->flush();
	while (behind->flushes == before)
		std::this_thread::sleep_for(std::chrono::microseconds(50));
}

int64_t lost() { return (int64_t)spdlog::thread_pool()->overrun_counter(); }

int run(const std::string &file, bool fields, spdlog::async_overflow_policy policy)
{
	spdlog::init_thread_pool(spdlog::details::default_async_q_size, 1);
	auto to_file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
	behind = std::make_shared<witness>();
	logger = std::make_shared<spdlog::async_logger>("trades", spdlog::sinks_init_list{to_file, behind},
							spdlog::thread_pool(), policy);
	logger->set_pattern("%Y-%m-%d %H:%M:%S,%e - %n - %l - %v");
	const struct logger l = {fields ? burst_log_fields : burst_log_message,
				 fields ? paced_log_fields : paced_log_message, flush, lost};
	const int status = serve(&l);
	flush();
	logger.reset();
	spdlog::shutdown();
	return status;
}

} // namespace

int main(int argc, char **argv)
{
	const std::string record = argc == 4 ? argv[2] : "", policy = argc == 4 ? argv[3] : "";
	if ((record != "message" && record != "fields") || (policy != "block" && policy != "overrun_oldest")) {
		fprintf(stderr, "usage: spdlog FILE message|fields block|overrun_oldest\n");
		return 2;
	}
	try {
		return run(argv[1], record == "fields",
			   policy == "block" ? spdlog::async_overflow_policy::block
					     : spdlog::async_overflow_policy::overrun_oldest);
	} catch (const std::exception &e) {
		fprintf(stderr, "%s\n", e.what());
		return 1;
	}
}
