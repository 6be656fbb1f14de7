/// One thread: epoll, libcurl's socket interface, agents as coroutines.

#include <vector>

#include "agent.hpp"
#include "async_llm_client.hpp"
#include "event_loop.hpp"
#include "run.hpp"
#include "stop.hpp"
#include "verifier.hpp"

namespace {

using namespace agentloop;

template <typename Agent>
Async<void> solve_tasks(Agent& agent, Run& run, EventLoop const& loop) {
    while (!loop.stopping()) {
        auto const task = run.next_task();
        if (!task)
            co_return;
        co_await agent.solve(*task, run.start_of(*task));
    }
    throw Interrupted();
}

void work(Run& run, StopSignals& signals) {
    EventLoop loop;
    Watch const stopping(loop, signals.descriptor(), EPOLLIN, [&](std::uint32_t) {
        if (signals.take())
            loop.stop();
    });
    AsyncLLMClient client(loop, run.endpoint, run.agents);
    AwaitedSlots slots(run.file.verify.slots, loop);
    Verifier verifier(run.file.verify, slots);
    Agent agent(run.file, run.prompts, client, verifier, run.events);
    std::vector<Async<void>> agents;
    for (std::size_t number = 0; number < run.agents; ++number)
        agents.push_back(solve_tasks(agent, run, loop));
    loop.run(std::move(agents));
}

}  // namespace

int main(int argument_count, char** arguments) {
    return run_program(argument_count, arguments, work);
}
