package io.daosmesh.itests.sim.pool;

import io.daosmesh.engine.turn.Answer;
import io.daosmesh.itests.sim.machine.Timeline;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Delays, reorders and loses requests and answers. Somebody who asks is always answered, by the deadline if by nobody
 * else, as the transport promises. Owner: the timeline.
 */
final class Network {
    /** Who is no rank, and never cut off. */
    static final int CLIENT = -1;

    static final int SERVICE = -2;

    /** What a request does at the rank that it reaches. */
    interface Handler<T> extends BiConsumer<EngineLife, Answer<T>> {}

    private final Timeline time;
    private final List<Node> nodes;
    private final double loss;
    private final boolean areClocksTold;

    Network(Timeline time, List<Node> nodes, double loss, boolean areClocksTold) {
        this.time = time;
        this.nodes = nodes;
        this.loss = loss;
        this.areClocksTold = areClocksTold;
    }

    boolean isReachable(int from, int to) {
        return mayReach(from, to) && mayReach(to, from);
    }

    private boolean mayReach(int rank, int other) {
        if (rank < 0) return true;
        Node n = nodes.get(rank);
        return !n.isCutOff || n.isSeenByClients && other == CLIENT;
    }

    private boolean isLost(int from, int to) {
        return !isReachable(from, to) || time.happens(loss);
    }

    /** To a rank. The handler runs as its process; the answer comes exactly once. */
    <T> void call(int from, int to, long deadlineNs, BiConsumer<EngineLife, Answer<T>> handler, Answer<T> answer) {
        Pending<T> pending = new Pending<>(answer);
        time.after(deadlineNs, () -> pending.answer(null, Fault.of(FaultCode.TIMEDOUT, "rank %d did not answer", to)));
        if (isLost(from, to)) return;
        long sent = clock(from);
        time.after(time.latencyNs(), () -> {
            EngineLife life = nodes.get(to).life();
            Answer<T> back = (value, fault) -> {
                long replied = clock(to);
                if (!isLost(to, from)) time.after(time.latencyNs(), () -> reply(from, replied, pending, value, fault));
            };
            if (life == null || !life.isServing()) {
                back.refuse(Fault.of(FaultCode.AGAIN, "rank %d is not there", to));
                return;
            }
            nodes.get(to).whenAwake(life, () -> {
                try {
                    life.sawEpoch(sent);
                    handler.accept(life, back);
                } catch (FaultException e) {
                    back.refuse(e.fault());
                }
            });
        });
    }

    /** Ranks tell each other their clocks with every message. 0 = not told; where clocks are well epochs alone tell, which is harder. */
    private long clock(int of) {
        EngineLife life = of < 0 || !areClocksTold ? null : nodes.get(of).life();
        return life == null ? 0 : life.hlcNow();
    }

    private <T> void reply(int to, long clock, Pending<T> pending, @Nullable T value, @Nullable Fault fault) {
        EngineLife life = to < 0 ? null : nodes.get(to).life();
        try {
            if (life != null) life.sawEpoch(clock);
            pending.answer(value, fault);
        } catch (FaultException e) {
            pending.answer(null, e.fault());
        }
    }

    /** From a client to a rank: the request comes after a delay, and nobody waits for its answer any more. */
    <T> void callLate(int to, long delayNs, Handler<T> handler) {
        time.after(delayNs, () -> {
            EngineLife life = nodes.get(to).life();
            if (life == null || !life.isServing() || isLost(CLIENT, to)) return;
            nodes.get(to).whenAwake(life, () -> {
                try {
                    handler.accept(life, (value, fault) -> {});
                } catch (FaultException e) {
                    // nobody hears of it
                }
            });
        });
    }

    /** To the pool service, which runs as long as anybody and answers from its newest state. */
    <T> void ask(int from, long deadlineNs, java.util.function.Supplier<T> service, Answer<T> answer) {
        Pending<T> pending = new Pending<>(answer);
        time.after(deadlineNs, () -> pending.answer(null, Fault.of(FaultCode.TIMEDOUT, "no pool service")));
        if (isLost(from, SERVICE)) return;
        time.after(time.latencyNs(), () -> {
            T value = service.get();
            if (!isLost(SERVICE, from)) time.after(time.latencyNs(), () -> pending.answer(value, null));
        });
    }

    private static final class Pending<T> implements Answer<T> {
        private final Answer<T> answer;
        private boolean isAnswered;

        Pending(Answer<T> answer) {
            this.answer = answer;
        }

        @Override
        public void answer(@Nullable T value, @Nullable Fault fault) {
            if (isAnswered) return;
            isAnswered = true;
            answer.answer(value, fault);
        }
    }
}
