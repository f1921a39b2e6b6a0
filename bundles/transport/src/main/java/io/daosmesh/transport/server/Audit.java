package io.daosmesh.transport.server;

import io.daosmesh.model.audit.AuditedRequest;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.text.Printable;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/**
 * The record of what administrators and users changed over the network: one line a request when it has ended or was refused,
 * where the console writes, too (etc/logback.xml). Any thread. What servers ask of each other is not written down. The lines of one
 * user are limited, so that nobody can push out with them what else the record says.
 */
final class Audit {
    /** Lines of one user, or of an agent, in a minute. Nobody works faster by hand; scripts see a count. */
    static final int LINES_MAX = 120;

    /** Users with a count of their own; the others share one. */
    static final int USERS_MAX = 256;

    private static final long MINUTE_NS = 60_000_000_000L;

    /** Not below io.daosmesh, whose levels administrators change at run time. */
    private static final Logger log = LoggerFactory.getLogger("daosmesh.audit");

    private final LongSupplier nowNs;
    private final Map<String, Share> shares = new LinkedHashMap<>();

    private static final class Share {
        long sinceNs;
        int lines;
        long unsaid;
    }

    Audit(LongSupplier nowNs) {
        this.nowNs = nowNs;
    }

    /** What the handler makes of a request is written down when it has ended. To be asked before the handler is. */
    Mono<RpcMessage> recorded(RpcCall call, Handling handling) {
        Optional<String> wanted = wanted(call.method(), call.peer(), call.body());
        if (wanted.isEmpty()) return handling.handle();
        Mono<RpcMessage> handled;
        try {
            handled = handling.handle();
        } catch (RuntimeException e) {
            handled = Mono.error(e);
        }
        return handled.doOnSuccess(r -> record(call.method(), call.peer(), call.rank(), "ok", wanted.get()))
                .doOnError(t -> record(call.method(), call.peer(), call.rank(), outcome(t), wanted.get()));
    }

    /** Asks the handler, which may fail at once. */
    interface Handling {
        Mono<RpcMessage> handle();
    }

    /** A role that may not call it has tried. */
    void refused(RpcMethod method, RpcCall.Peer peer, int rank, ByteBuffer body, FaultCode why) {
        wanted(method, peer, body).ifPresent(w -> record(method, peer, rank, why.label(), w));
    }

    private static Optional<String> wanted(RpcMethod method, RpcCall.Peer peer, ByteBuffer body) {
        return method.isAudited() && peer.role() != Role.SERVER ? AuditedRequest.of(method, body) : Optional.empty();
    }

    private static String outcome(Throwable t) {
        return FaultException.faultOf(t).code().label();
    }

    private void record(RpcMethod method, RpcCall.Peer peer, int rank, String outcome, String wanted) {
        String user = peer.user().map(u -> u.user() + u.machine()).orElse("-");
        long unsaid = peer.role() == Role.ADMIN ? 0 : unsaid(user.equals("-") ? peer.remote() : user);
        if (unsaid < 0) return;
        log.info(
                "user={}{} address={} roles={} outcome=\"{}\"{} rpc={} rank={}{}",
                Printable.of(user),
                peer.claim().isEmpty() ? "" : " claim=" + peer.claim(),
                peer.remote(),
                peer.role().name().toLowerCase(Locale.ROOT),
                outcome,
                unsaid > 0 ? " unsaid=" + unsaid : "",
                method,
                rank,
                wanted.isEmpty() ? "" : " " + wanted);
    }

    /** How many lines of this one have been left out before; -1 when this one is, too. Visible to tests. */
    synchronized long unsaid(String client) {
        long now = nowNs.getAsLong();
        boolean isNew = !shares.containsKey(client);
        if (isNew && shares.size() >= USERS_MAX) shares.values().removeIf(s -> now - s.sinceNs >= MINUTE_NS);
        Share share = shares.computeIfAbsent(isNew && shares.size() >= USERS_MAX ? "others" : client, c -> new Share());
        if (share.lines == 0 || now - share.sinceNs >= MINUTE_NS) {
            share.sinceNs = now;
            share.lines = 0;
        }
        if (share.lines >= LINES_MAX) {
            share.unsaid++;
            return -1;
        }
        share.lines++;
        long before = share.unsaid;
        share.unsaid = 0;
        return before;
    }
}
