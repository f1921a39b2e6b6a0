package io.daosmesh.engine.runtime.loop;

import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcCall;
import java.util.List;

/** Who has a share of what may wait on a target: a rank, a user of a machine, or else a connection. Immutable. */
public final class Asker {
    /** In the context of a request on its way to the target's queue. */
    public static final Object KEY = Asker.class;

    private final Object who;

    private Asker(Object who) {
        this.who = who;
    }

    public static Asker of(RpcCall.Peer peer) {
        if (peer.role() == Role.SERVER) return new Asker(peer.rank());
        return peer.user()
                .map(u -> new Asker(List.of(u.user(), u.machine())))
                .orElseGet(() -> new Asker(new Connection(peer)));
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Asker a && a.who.equals(who);
    }

    @Override
    public int hashCode() {
        return who.hashCode();
    }

    /** The transport makes one peer for each connection. */
    private record Connection(RpcCall.Peer peer) {
        @Override
        public boolean equals(Object o) {
            return o instanceof Connection c && c.peer == peer;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(peer);
        }
    }
}
