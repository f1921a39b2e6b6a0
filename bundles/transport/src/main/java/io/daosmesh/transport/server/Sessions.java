package io.daosmesh.transport.server;

import com.google.protobuf.ByteString;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.transport.wire.ClearChannel;
import java.net.InetAddress;
import java.security.SecureRandom;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Keys for clear data channels: handed out over TLS, each good for one connection of the same peer from the same address, soon. Any
 * thread.
 */
public final class Sessions {
    /** Long enough for a slow connect, short enough to be useless soon. */
    public static final long LIFE_NS = 30_000_000_000L;

    /** Handed out and not used yet; a peer of ours uses its own within milliseconds. */
    static final int OPEN_MAX = 4096;

    static final int OF_PEER_MAX = 64;

    private final LongSupplier nowNs;
    private final SecureRandom random = new SecureRandom();
    /** Oldest first: all live equally long. */
    private final Map<ByteString, Session> open = new LinkedHashMap<>();

    /** @param peer who asked; the data channel is its own */
    public record Session(RpcCall.Peer peer, byte[] id, byte[] key, long endNs) {}

    public Sessions(LongSupplier nowNs) {
        this.nowNs = nowNs;
    }

    /** BUSY when a peer opens many and uses none. */
    public synchronized Session issue(RpcCall.Peer peer) {
        dropExpired();
        long ofPeer = open.values().stream().filter(s -> s.peer().equals(peer)).count();
        if (open.size() >= OPEN_MAX || ofPeer >= OF_PEER_MAX) {
            throw Fault.of(FaultCode.BUSY, "%d keys of data channels wait to be used", open.size())
                    .asException();
        }
        byte[] id = new byte[ClearChannel.ID_BYTES];
        byte[] key = new byte[ClearChannel.KEY_BYTES];
        random.nextBytes(id);
        random.nextBytes(key);
        Session s = new Session(peer, id, key, nowNs.getAsLong() + LIFE_NS);
        open.put(ByteString.copyFrom(id), s);
        return s;
    }

    /** Empty when it was not issued to this address, has been used, or has expired. */
    synchronized Optional<Session> find(byte[] id, InetAddress address) {
        dropExpired();
        return Optional.ofNullable(open.get(ByteString.copyFrom(id)))
                .filter(s -> s.peer().remote().equals(address.getHostAddress()));
    }

    /** Its holder has proven itself; false when somebody did so before. */
    synchronized boolean use(Session s) {
        return open.remove(ByteString.copyFrom(s.id())) != null;
    }

    /** Makes all keys void that have not been used yet. */
    public synchronized void forgetAll() {
        open.clear();
    }

    private void dropExpired() {
        long now = nowNs.getAsLong();
        Iterator<Session> oldest = open.values().iterator();
        while (oldest.hasNext() && oldest.next().endNs() < now) oldest.remove();
    }
}
