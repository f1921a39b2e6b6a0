package io.daosmesh.transport.server;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.Role;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How many connections there may be: in all, of an address, and of those that have not said yet who they are. Any thread. Whoever comes
 * in while too many are unknown takes the place of the one that has been silent longest, so that a crowd of silent ones locks
 * nobody out.
 */
final class Door {
    private static final int ADDRESSES_MAX = 4096;
    /** As many as may wait may be on their way out at the same time. */
    private static final int CROWD = 2;

    private final Limits limits;
    private final LongSupplier nowNs;
    private final Waiting waiting = new Waiting();
    private final Map<InetAddress, Neighbour> neighbours = new LinkedHashMap<>(16, 0.75f, true);
    private int inside;
    private int sockets;

    /**
     * @param waitingMax connections not admitted yet
     * @param waitingOfAddressMax ... of one address
     * @param handshakesPerSecond TLS handshakes of one address, lasting; twice as many at once
     * @param insideMax admitted connections
     * @param ofAddressMax ... of one address that are not servers
     * @param forServers places of {@code insideMax} that only servers get
     */
    record Limits(
            int waitingMax,
            int waitingOfAddressMax,
            int handshakesPerSecond,
            int insideMax,
            int ofAddressMax,
            int forServers) {
        /** A handshake costs about a millisecond of an event loop: a fifth of one for each address. */
        static final Limits USUAL = new Limits(1024, 128, 200, 16_384, 12_288, 2048);
    }

    /** A connection. */
    interface Visitor {
        InetAddress address();

        /** Makes place for another one; any thread, must not call back. */
        void showOut();
    }

    private static final class Waiting {
        final LinkedHashSet<Visitor> silent = new LinkedHashSet<>();
        final LinkedHashSet<Visitor> talking = new LinkedHashSet<>();

        int size() {
            return silent.size() + talking.size();
        }

        Visitor first() {
            return (silent.isEmpty() ? talking : silent).iterator().next();
        }

        boolean remove(Visitor v) {
            return silent.remove(v) | talking.remove(v);
        }
    }

    private static final class Neighbour {
        final Waiting waiting = new Waiting();
        int clients;
        int servers;
        /** Accepted and not closed, whether admitted or not. */
        int sockets;

        double handshakes;
        long filledNs;
    }

    Door(Limits limits, LongSupplier nowNs) {
        this.limits = limits;
        this.nowNs = nowNs;
    }

    /**
     * Whether a connection that was accepted just now may be looked at: false while so many of its address, or in all, are on their
     * way in or out that the event loops do not keep up. When true, {@link #gone} has to follow.
     */
    synchronized boolean mayApproach(InetAddress address) {
        Neighbour n = neighbour(address);
        int unknown = n.sockets - n.clients - n.servers;
        if (unknown >= CROWD * limits.waitingOfAddressMax()) return false;
        if (sockets - inside >= CROWD * limits.waitingMax()) return false;
        n.sockets++;
        sockets++;
        return true;
    }

    /** Its socket is closed. */
    synchronized void gone(InetAddress address) {
        neighbour(address).sockets--;
        sockets--;
    }

    /** Somebody has connected; another one may have to go for it. */
    void enter(Visitor v) {
        Visitor out = null;
        Visitor outOfAll = null;
        synchronized (this) {
            Neighbour n = neighbour(v.address());
            if (n.waiting.size() >= limits.waitingOfAddressMax()) out = leaveWaiting(n.waiting.first());
            if (waiting.size() >= limits.waitingMax()) outOfAll = leaveWaiting(waiting.first());
            n.waiting.silent.add(v);
            waiting.silent.add(v);
        }
        if (out != null) out.showOut();
        if (outOfAll != null) outOfAll.showOut();
    }

    /** Its first bytes have come. */
    synchronized void speaks(Visitor v) {
        Neighbour n = neighbour(v.address());
        if (!waiting.silent.remove(v)) return;
        waiting.talking.add(v);
        n.waiting.silent.remove(v);
        n.waiting.talking.add(v);
    }

    /** Whether a TLS handshake of this address may cost us something now. */
    synchronized boolean mayShakeHands(Visitor v) {
        Neighbour n = neighbour(v.address());
        long now = nowNs.getAsLong();
        double most = 2.0 * limits.handshakesPerSecond();
        n.handshakes = Math.min(most, n.handshakes + (now - n.filledNs) * 1e-9 * limits.handshakesPerSecond());
        n.filledNs = now;
        if (n.handshakes < 1) return false;
        n.handshakes--;
        return true;
    }

    /** It has shown who it is. BUSY when there is no place for one more of its kind. */
    synchronized void admit(Visitor v, Role role) {
        Neighbour n = neighbour(v.address());
        leaveWaiting(v);
        boolean isServer = role == Role.SERVER;
        int most = limits.insideMax() - (isServer ? 0 : limits.forServers());
        if (inside >= most) throw full("%d connections are open on this node", inside);
        if (!isServer && n.clients >= limits.ofAddressMax()) throw full("%d connections of one address", n.clients);
        inside++;
        if (isServer) n.servers++;
        else n.clients++;
    }

    /** @param role null when it had not been admitted */
    synchronized void leave(Visitor v, @Nullable Role role) {
        if (role == null) {
            leaveWaiting(v);
            return;
        }
        inside--;
        if (role == Role.SERVER) neighbour(v.address()).servers--;
        else neighbour(v.address()).clients--;
    }

    synchronized int waiting() {
        return waiting.size();
    }

    synchronized int inside() {
        return inside;
    }

    private static RuntimeException full(String format, int count) {
        return Fault.of(FaultCode.BUSY, format, count)
                .remedy("let programs share connections, or end some of them")
                .asException();
    }

    private @Nullable Visitor leaveWaiting(Visitor v) {
        if (!waiting.remove(v)) return null;
        neighbour(v.address()).waiting.remove(v);
        return v;
    }

    private Neighbour neighbour(InetAddress address) {
        InetAddress place = place(address);
        Neighbour known = neighbours.get(place);
        if (known != null) return known;
        // one that has nobody here is forgotten first; with it its count of handshakes
        if (neighbours.size() >= ADDRESSES_MAX)
            neighbours.values().stream()
                    .filter(n -> n.sockets == 0 && n.clients == 0 && n.servers == 0 && n.waiting.size() == 0)
                    .findFirst()
                    .ifPresent(n -> neighbours.values().remove(n));
        Neighbour n = new Neighbour();
        n.handshakes = 2.0 * limits.handshakesPerSecond();
        n.filledNs = nowNs.getAsLong();
        neighbours.put(place, n);
        return n;
    }

    /** A host has a whole /64 of IPv6 to itself (RFC 4291, 2.5.4). */
    private static InetAddress place(InetAddress address) {
        if (!(address instanceof Inet6Address)) return address;
        byte[] bytes = address.getAddress();
        Arrays.fill(bytes, 8, 16, (byte) 0);
        try {
            return InetAddress.getByAddress(bytes);
        } catch (java.net.UnknownHostException e) {
            throw new IllegalStateException("16 bytes are an address", e);
        }
    }
}
