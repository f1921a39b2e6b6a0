package io.daosmesh.swim.runtime;

import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.SwimMessage.Kind;
import io.daosmesh.swim.SwimMessage;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Where the members are, and the sending to them. Owner: membership loop. */
final class Peers {
    /** Messages handed to the transport but not to a connection yet; a peer that cannot be reached gets no more. */
    private static final int UNDER_WAY_MAX = 32;

    private record Peer(Endpoint endpoint, AtomicInteger underWay) {}

    private final Rpc rpc;
    private final Map<Integer, Peer> byRank = new HashMap<>();
    private long dropped;

    Peers(Rpc rpc) {
        this.rpc = rpc;
    }

    /** Takes over the group map; returns the ranks that are no longer in it. */
    Set<Integer> update(GroupMap map) {
        Set<Integer> gone = new HashSet<>(byRank.keySet());
        for (Member member : map.members()) {
            if (member.state().isInGroup()) {
                gone.remove(member.rank());
                Peer old = byRank.get(member.rank());
                if (old == null || !old.endpoint().address().equals(member.address())) {
                    Endpoint endpoint = Endpoint.rank(member.address(), member.rank());
                    byRank.put(member.rank(), new Peer(endpoint, new AtomicInteger()));
                }
            }
        }
        gone.forEach(byRank::remove);
        return gone;
    }

    List<Integer> ranksAt(String address) {
        return byRank.entrySet().stream()
                .filter(entry -> entry.getValue().endpoint().address().equals(address))
                .map(Map.Entry::getKey)
                .toList();
    }

    boolean isAt(int rank, String address) {
        @Nullable Peer peer = byRank.get(rank);
        return peer != null && peer.endpoint().address().equals(address);
    }

    void send(int toRank, Kind kind, SwimMessage message) {
        @Nullable Peer peer = byRank.get(toRank);
        if (peer == null) {
            return;
        }
        if (peer.underWay().incrementAndGet() > UNDER_WAY_MAX) {
            peer.underWay().decrementAndGet();
            dropped++;
            return;
        }
        rpc.fire(peer.endpoint(), RpcMethod.SWIM, RpcMessage.of(SwimWire.toWire(kind, message)))
                .doFinally(signal -> peer.underWay().decrementAndGet())
                // a lost message is what the protocol is made for; refused connections come by the peer listener
                .subscribe(nothing -> {}, lost -> {});
    }

    long dropped() {
        return dropped;
    }
}
