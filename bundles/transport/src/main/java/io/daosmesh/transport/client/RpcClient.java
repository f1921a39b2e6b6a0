package io.daosmesh.transport.client;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.DataSessionReply;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.transport.metric.TransportCounters;
import io.daosmesh.transport.wire.Envelope;
import io.daosmesh.transport.wire.Failures;
import io.daosmesh.transport.wire.Outgoing;
import io.netty.buffer.ByteBuf;
import io.rsocket.Payload;
import io.rsocket.RSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/**
 * Calls to peers over at most two connections each: one for control (gossip, Raft, management), one for data, so that no
 * ping waits behind a megabyte. Any thread.
 */
public final class RpcClient implements Rpc, Lane.Watcher {
    /** Peers remembered; those without a connection are forgotten first. */
    public static final int PEERS_MAX = 8192;

    static final Gate.Limits CONTROL_LIMITS = new Gate.Limits(256, 4 << 20, 1024);
    static final Gate.Limits DATA_LIMITS = new Gate.Limits(256, 4 << 20, 1024);
    private static final int STREAMS_MAX = 256;
    private static final int FIRES_WAITING_MAX = 256;
    private static final int LISTENERS_MAX = 64;
    private static final Duration SESSION_DEADLINE = Duration.ofSeconds(2);
    private static final Logger log = LoggerFactory.getLogger(RpcClient.class);

    private final Connector connector;
    private final Hlc hlc;
    private final Scheduler deadlines;
    private final TransportCounters counters;
    private final Set<RpcMethod> dataMethods;
    private final Map<String, Peer> peers = new ConcurrentHashMap<>();
    private final List<PeerListener> listeners = new CopyOnWriteArrayList<>();

    public RpcClient(
            Connector connector, Hlc hlc, Scheduler deadlines, TransportCounters counters, Set<RpcMethod> dataMethods) {
        this.connector = connector;
        this.hlc = hlc;
        this.deadlines = deadlines;
        this.counters = counters;
        this.dataMethods = dataMethods;
    }

    @Override
    public <T> Mono<T> call(
            Endpoint to, RpcMethod method, RpcMessage request, Duration deadline, RpcReply.Decoder<T> decoder) {
        requireKind(method, RpcMethod.Kind.CALL);
        return Mono.defer(() -> {
            Outgoing out = new Outgoing(request);
            Gate.Ticket ticket = new Gate.Ticket(out.dataBytes());
            long endNs = System.nanoTime() + deadline.toNanos();
            Peer.Way way = peer(to, out).way(dataMethods.contains(method));
            return way.gate()
                    .enter(ticket)
                    .then(Mono.defer(way.lane()::socket))
                    .flatMap(socket -> exchange(socket, to, method, out, endNs).<T>handle((reply, sink) -> {
                        try {
                            T value = decode(reply, decoder);
                            if (value != null) sink.next(value);
                        } catch (FaultException e) {
                            sink.error(e);
                        } catch (Exception e) {
                            sink.error(undecodable(method, to, e));
                        }
                    }))
                    .timeout(deadline, deadlines)
                    .onErrorMap(e -> failure(e, to, method, way.gate(), ticket))
                    .doFinally(s -> {
                        way.gate().leave(ticket);
                        out.finish();
                    });
        });
    }

    @Override
    public Mono<Void> fire(Endpoint to, RpcMethod method, RpcMessage request) {
        requireKind(method, RpcMethod.Kind.FIRE);
        return Mono.defer(() -> {
            Outgoing out = new Outgoing(request);
            Peer peer = peer(to, out);
            if (peer.firesWaiting().incrementAndGet() > FIRES_WAITING_MAX) {
                peer.firesWaiting().decrementAndGet();
                out.finish();
                return Mono.empty();
            }
            return peer.way(false)
                    .lane()
                    .socket()
                    .flatMap(socket -> socket.fireAndForget(payload(to, method, out, 0)))
                    .onErrorResume(e -> {
                        log.debug("{} to {} lost: {}", method, to.address(), e.getMessage());
                        return Mono.empty();
                    })
                    .doFinally(s -> {
                        peer.firesWaiting().decrementAndGet();
                        out.finish();
                    });
        });
    }

    @Override
    public <T> Flux<T> stream(Endpoint to, RpcMethod method, RpcMessage request, RpcReply.Decoder<T> decoder) {
        requireKind(method, RpcMethod.Kind.STREAM);
        return Flux.defer(() -> {
            Outgoing out = new Outgoing(request);
            Peer peer = peer(to, out);
            if (peer.streams().incrementAndGet() > STREAMS_MAX) {
                peer.streams().decrementAndGet();
                out.finish();
                return Flux.error(Fault.of(FaultCode.BUSY, "too many streams of %s", to.address())
                        .with("max", STREAMS_MAX)
                        .asException());
            }
            return peer.way(dataMethods.contains(method))
                    .lane()
                    .socket()
                    .flatMapMany(socket -> socket.requestStream(payload(to, method, out, 0))
                            .<T>handle((reply, sink) -> {
                                try {
                                    T value = decode(reply, decoder);
                                    if (value != null) sink.next(value);
                                } catch (FaultException e) {
                                    sink.error(e);
                                } catch (Exception e) {
                                    sink.error(undecodable(method, to, e));
                                }
                            }))
                    .onErrorMap(e -> Failures.of(e, to.address()).asException())
                    .doFinally(s -> {
                        peer.streams().decrementAndGet();
                        out.finish();
                    });
        });
    }

    @Override
    public AutoCloseable onPeerClosed(PeerListener listener) {
        if (listeners.size() >= LISTENERS_MAX) throw new IllegalStateException("too many peer listeners");
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    @Override
    public void onRefused(String address) {
        tell(address, true);
    }

    /** Also for a connection that the peer had opened to us. */
    @Override
    public void onClosedByPeer(String address) {
        tell(address, false);
        if (listeners.isEmpty()) return;
        try {
            // does anybody still listen there? A refusal is told to the listeners by onRefused
            peer(Endpoint.node(address)).way(false).lane().socket().subscribe(s -> {}, e -> {});
        } catch (FaultException e) {
            log.debug("peer {} cannot be asked: {}", address, e.getMessage());
        }
    }

    /** Closes all connections; calls under way fail with UNREACH or CANCELED. */
    public void close() {
        peers.values().forEach(Peer::close);
    }

    private void tell(String address, boolean refused) {
        for (PeerListener l : listeners) {
            try {
                l.peerClosed(address, refused);
            } catch (RuntimeException e) {
                log.error("peer listener failed", e);
            }
        }
    }

    /** Gives the message's buffer back when there is no room for one more peer. */
    private Peer peer(Endpoint to, Outgoing out) {
        try {
            return peer(to);
        } catch (RuntimeException e) {
            out.finish();
            throw e;
        }
    }

    private Peer peer(Endpoint to) {
        Peer known = peers.get(to.address());
        if (known != null) return known;
        if (peers.size() >= PEERS_MAX) {
            peers.values().removeIf(Peer::isIdle);
            if (peers.size() >= PEERS_MAX) {
                throw Fault.of(FaultCode.BUSY, "too many peers")
                        .with("max", PEERS_MAX)
                        .asException();
            }
        }
        return peers.computeIfAbsent(to.address(), a -> newPeer(to));
    }

    private Peer newPeer(Endpoint to) {
        Lane control = new Lane(to.address(), () -> connector.connect(to.host(), to.port()), deadlines, this, counters);
        Lane data = new Lane(to.address(), () -> connectData(to), deadlines, this, counters);
        return new Peer(
                new Peer.Way(control, new Gate(CONTROL_LIMITS, counters)),
                new Peer.Way(data, new Gate(DATA_LIMITS, counters)));
    }

    private Mono<RSocket> connectData(Endpoint to) {
        if (!connector.isClearData()) return connector.connect(to.host(), to.port());
        Endpoint node = new Endpoint(to.host(), to.port(), Endpoint.NODE);
        RpcMessage ask = RpcMessage.of(Empty.getDefaultInstance());
        return call(node, RpcMethod.DATA_SESSION, ask, SESSION_DEADLINE, r -> DataSessionReply.parseFrom(r.body()))
                // a node that wants TLS for data says NOTSUPPORTED: then data go over TLS
                .onErrorResume(RpcClient::isClearNotSupported, e -> Mono.just(DataSessionReply.getDefaultInstance()))
                .flatMap(s -> s.getSession().isEmpty()
                        ? connector.connect(to.host(), to.port())
                        : connector.connectClear(
                                to.host(),
                                to.port(),
                                new ClearHello.Session(
                                        s.getSession().toByteArray(), s.getKey().toByteArray())));
    }

    private static boolean isClearNotSupported(Throwable e) {
        return e instanceof FaultException f && f.code() == FaultCode.NOTSUPPORTED;
    }

    private Mono<Payload> exchange(RSocket socket, Endpoint to, RpcMethod method, Outgoing out, long endNs) {
        long leftMs = (endNs - System.nanoTime()) / 1_000_000;
        return socket.requestResponse(payload(to, method, out, (int) Math.max(1, Math.min(leftMs, Integer.MAX_VALUE))));
    }

    private Payload payload(Endpoint to, RpcMethod method, Outgoing out, int deadlineMs) {
        int bytes = out.dataBytes();
        Payload payload = Envelope.request(new Envelope.Route(method, to.rank(), hlc.now(), deadlineMs), out);
        counters.requestsSent.increment();
        counters.bytesSent.add(bytes);
        return payload;
    }

    /** Releases the reply: both buffers end with the decoder. */
    private <T> T decode(Payload payload, RpcReply.Decoder<T> decoder) throws Exception {
        try {
            Envelope.Reply reply = Envelope.readReply(payload);
            hlc.merge(reply.hlc());
            if (reply.fault().isPresent()) throw reply.fault().get().asException();
            ByteBuf data = payload.sliceData();
            counters.bytesReceived.add(data.readableBytes());
            return decoder.decode(new RpcReply(reply.body(), data.nioBuffer()));
        } finally {
            payload.release();
        }
    }

    private static FaultException undecodable(RpcMethod method, Endpoint to, Exception e) {
        return Fault.of(FaultCode.PROTO, "reply of %s to %s cannot be read: %s", to.address(), method, e)
                .asException();
    }

    private FaultException failure(Throwable e, Endpoint to, RpcMethod method, Gate gate, Gate.Ticket ticket) {
        if (e instanceof FaultException f) return f;
        if (e instanceof TimeoutException) {
            if (ticket.isWaiting()) {
                counters.busyRefusals.increment();
                return gate.busy().with("peer", to.address()).asException();
            }
            counters.requestTimeouts.increment();
            return Fault.of(FaultCode.TIMEDOUT, "no answer of %s to %s in time", to.address(), method)
                    .asException();
        }
        return Failures.of(e, to.address()).asException();
    }

    private static void requireKind(RpcMethod method, RpcMethod.Kind kind) {
        if (method.kind() != kind) throw new IllegalArgumentException(method + " is a " + method.kind());
    }
}
