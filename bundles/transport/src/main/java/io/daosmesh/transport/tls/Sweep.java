package io.daosmesh.transport.tls;

import io.netty.channel.Channel;
import io.netty.handler.ssl.SslHandler;

/**
 * Which open connections must end since the revocation list has grown: those of a revoked peer, and those without TLS, whose
 * peer was told by a key and shows itself again when it comes back. Immutable; asked on the event loop of each connection.
 */
public record Sweep(Revocations revocations, boolean isClearToo) {
    public boolean mustEnd(Channel channel) {
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        if (tls == null) return isClearToo;
        return PeerCertificate.leaf(tls).filter(revocations::isRevoked).isPresent();
    }
}
