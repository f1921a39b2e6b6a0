package io.daosmesh.itests.sim;

import io.daosmesh.swim.MemberState;
import io.daosmesh.swim.Swim;
import io.daosmesh.swim.SwimConfig;
import io.daosmesh.swim.SwimEffects;
import io.daosmesh.swim.SwimMessage;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;

/**
 * Many members of the shipped {@link Swim} on a network that delays, loses and cuts, in virtual time. Owner: the
 * thread of the test; nothing here knows a clock.
 *
 * <p>A paused member behaves like a process under SIGSTOP: its kernel goes on accepting, so messages wait and come in
 * all at once when it resumes. A killed member refuses connections (its machine lives) or is silent (machine gone).
 */
public final class SwimWorld {
    private static final int BACKLOG_MAX = 4_096;

    /** How the network treats a message. */
    public record Net(double loss, long latencyMinNs, long latencySpreadNs) {
        /** A local network with the occasional scheduling hiccup; losses as given. */
        public static Net lossy(double loss) {
            return new Net(loss, SwimConfig.ms(1) / 5, SwimConfig.ms(4));
        }
    }

    /** Somebody believed something new of somebody, at that time. */
    public record Belief(long atNs, int observer, int subject, MemberState state, String reason) {}

    private enum Kind {
        TICK,
        PING,
        PING_REQ,
        ACK,
        NACK,
        CLOSED,
        REFUSED,
        ACTION
    }

    private record Event(long atNs, long order, Kind kind, int rank, SwimMessage message, Runnable action)
            implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(atNs, other.atNs);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    private static final SwimMessage NO_MESSAGE = new SwimMessage(-1, 0, 0, -1, false, List.of());
    private static final Runnable NO_ACTION = () -> {};

    private final class Node implements SwimEffects {
        final int rank;
        final Deque<Event> backlog = new ArrayDeque<>();
        Swim swim;
        boolean isKilled;
        boolean isRefusing;
        boolean isPaused;
        int side;
        int life;

        Node(int rank, Swim swim) {
            this.rank = rank;
            this.swim = swim;
        }

        @Override
        public void sendPing(int toRank, SwimMessage message) {
            send(this, toRank, Kind.PING, message);
        }

        @Override
        public void sendPingReq(int toRank, SwimMessage message) {
            send(this, toRank, Kind.PING_REQ, message);
        }

        @Override
        public void sendAck(int toRank, SwimMessage message) {
            send(this, toRank, Kind.ACK, message);
        }

        @Override
        public void sendNack(int toRank, SwimMessage message) {
            send(this, toRank, Kind.NACK, message);
        }

        @Override
        public void onAlive(int subject, long incarnation, String reason) {
            believe(subject, MemberState.ALIVE, reason);
        }

        @Override
        public void onSuspect(int subject, long incarnation, String reason) {
            believe(subject, MemberState.SUSPECT, reason);
        }

        @Override
        public void onDead(int subject, long incarnation, String reason) {
            believe(subject, MemberState.DEAD, reason);
        }

        @Override
        public void onRestarting(int subject, long incarnation, long forNs) {
            believe(subject, MemberState.RESTARTING, "announced");
        }

        @Override
        public void onSelfAccused(MemberState accusation, long newIncarnation) {}

        @Override
        public long newIncarnation() {
            return nowNs + 2;
        }

        private void believe(int subject, MemberState state, String reason) {
            beliefs.add(new Belief(nowNs, rank, subject, state, reason));
        }
    }

    private final SwimConfig config;
    private final Net net;
    private final SplittableRandom random;
    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final List<Node> nodes = new ArrayList<>();
    private final List<Belief> beliefs = new ArrayList<>();
    private long nowNs;
    private long order;
    private long sentCount;

    /** Members that have known each other for a while: the usual state of a mesh. */
    public SwimWorld(SwimConfig config, int memberCount, Net net, long seed) {
        this.config = config;
        this.net = net;
        this.random = new SplittableRandom(seed);
        for (int rank = 0; rank < memberCount; rank++) {
            nodes.add(new Node(rank, new Swim(config, rank, 1, random.nextLong())));
        }
        for (Node node : nodes) {
            join(node);
            at(random.nextLong(config.probe().tickNs()), Kind.TICK, node.rank, NO_MESSAGE);
        }
    }

    private void join(Node node) {
        SwimMessage greeting;
        for (Node other : nodes) {
            if (other != node) {
                node.swim.onMember(nowNs, other.rank, 1, node);
                greeting = new SwimMessage(other.rank, other.swim.selfIncarnation(), 0, other.rank, false, List.of());
                node.swim.onAck(nowNs, greeting, node);
            }
        }
    }

    public void schedule(long atNs, Runnable action) {
        events.add(new Event(atNs, order++, Kind.ACTION, -1, NO_MESSAGE, action));
    }

    public void runUntil(long untilNs) {
        while (!events.isEmpty() && events.peek().atNs() <= untilNs) {
            Event event = events.remove();
            nowNs = event.atNs();
            if (event.kind() == Kind.ACTION) {
                event.action().run();
            } else {
                handle(nodes.get(event.rank()), event);
            }
        }
        nowNs = untilNs;
    }

    /** The process ends; {@code refuses}: its machine says so, open connections close; else nobody says anything. */
    public void kill(int rank, boolean refuses) {
        Node node = nodes.get(rank);
        node.isKilled = true;
        node.isRefusing = refuses;
        node.life++;
        node.backlog.clear();
        if (refuses) {
            for (Node peer : nodes) {
                if (peer != node) {
                    at(nowNs + latencyNs(), Kind.CLOSED, peer.rank, about(rank));
                }
            }
        }
    }

    /** The killed process is started again, as a new life that the membership list names. */
    public void restart(int rank) {
        Node node = nodes.get(rank);
        node.isKilled = false;
        node.swim = new Swim(config, rank, nowNs + 2, random.nextLong());
        for (Node peer : nodes) {
            if (peer != node) {
                node.swim.onMember(nowNs, peer.rank, 1, node);
            }
        }
        at(nowNs, Kind.TICK, rank, NO_MESSAGE);
    }

    public void announceRestart(int rank, long forNs) {
        Node node = nodes.get(rank);
        node.swim.announceRestart(nowNs, forNs, node);
    }

    public void pause(int rank, long forNs) {
        Node node = nodes.get(rank);
        node.isPaused = true;
        schedule(nowNs + forNs, () -> resume(node));
    }

    /** Members on different sides do not hear each other. */
    public void moveToSide(int rank, int side) {
        nodes.get(rank).side = side;
    }

    public long nowNs() {
        return nowNs;
    }

    public List<Belief> beliefs() {
        return beliefs;
    }

    public long sentCount() {
        return sentCount;
    }

    public Swim swim(int rank) {
        return nodes.get(rank).swim;
    }

    private void resume(Node node) {
        node.isPaused = false;
        int waiting = node.backlog.size();
        for (int i = 0; i < waiting && !node.isKilled; i++) {
            handle(node, node.backlog.remove());
        }
    }

    private void handle(Node node, Event event) {
        if (node.isKilled) {
            return;
        }
        if (node.isPaused) {
            if (node.backlog.size() < BACKLOG_MAX) {
                node.backlog.add(event);
            }
            return;
        }
        SwimMessage message = event.message();
        switch (event.kind()) {
            case TICK -> {
                node.swim.onTick(nowNs, node);
                at(nowNs + config.probe().tickNs(), Kind.TICK, node.rank, NO_MESSAGE);
            }
            case PING -> node.swim.onPing(nowNs, message, node);
            case PING_REQ -> node.swim.onPingReq(nowNs, message, node);
            case ACK -> node.swim.onAck(nowNs, message, node);
            case NACK -> node.swim.onNack(nowNs, message, node);
            case CLOSED -> node.swim.onPeerClosed(nowNs, message.target(), node);
            case REFUSED -> node.swim.onPeerRefused(nowNs, message.target(), node);
            case ACTION -> throw new IllegalStateException("actions have no member");
        }
    }

    private void send(Node from, int toRank, Kind kind, SwimMessage message) {
        sentCount++;
        Node to = nodes.get(toRank);
        if (from.side != to.side || random.nextDouble() < net.loss()) {
            return;
        }
        if (to.isKilled) {
            if (to.isRefusing) {
                at(nowNs + latencyNs() + latencyNs(), Kind.REFUSED, from.rank, about(toRank));
            }
            return;
        }
        at(nowNs + latencyNs(), kind, toRank, message);
    }

    /** One message in a hundred waits ten times as long as the slowest of the others. */
    private long latencyNs() {
        long ns = net.latencyMinNs() + random.nextLong(net.latencySpreadNs());
        return random.nextInt(100) == 0 ? ns * 10 : ns;
    }

    private static SwimMessage about(int rank) {
        return new SwimMessage(-1, 0, 0, rank, false, List.of());
    }

    private void at(long atNs, Kind kind, int rank, SwimMessage message) {
        events.add(new Event(atNs, order++, kind, rank, message, NO_ACTION));
    }
}
