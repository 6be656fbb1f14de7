/// A thread for each agent, that waits in blocking calls.

#include <deque>
#include <stop_token>
#include <thread>

#include "agent.hpp"
#include "llm_client.hpp"
#include "run.hpp"
#include "thread_pool.hpp"
#include "verifier.hpp"

namespace {

using namespace agentloop;

void work(Run& run, StopSignals& signals) {
    std::stop_source stop;
    std::jthread const stopping([&](std::stop_token const& all_done) {
        if (signals.wait(all_done))
            stop.request_stop();
    });
    BlockingSlots slots(run.file.verify.slots, stop.get_token());
    Verifier verifier(run.file.verify, slots);
    std::deque<LLMClient> clients;
    for (std::size_t worker = 0; worker < run.agents; ++worker)
        clients.emplace_back(run.endpoint, stop.get_token());
    ThreadPool pool(run.agents, stop);
    // A job is one task, and makes the next.
    ThreadPool::Job const solve_next = [&](std::size_t worker) {
        auto const task = stop.stop_requested() ? std::nullopt : run.next_task();
        if (!task)
            return;
        Agent agent(run.file, run.prompts, clients[worker], verifier, run.events);
        agent.solve(*task, run.start_of(*task)).run();
        pool.submit(solve_next, worker);
    };
    for (std::size_t worker = 0; worker < run.agents; ++worker)
        pool.submit(solve_next, worker);
    pool.wait();
    // Where no worker waited for anything, none has noticed.
    if (stop.stop_requested())
        throw Interrupted();
}

}  // namespace

int main(int argument_count, char** arguments) {
    return run_program(argument_count, arguments, work);
}
