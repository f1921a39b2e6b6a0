package io.daosmesh.transport.server;

import com.google.protobuf.InvalidProtocolBufferException;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.Role;
import io.daosmesh.model.port.RpcCall;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.wire.SetupMessage;
import io.daosmesh.transport.credential.Credentials;
import io.daosmesh.transport.tls.Roles;
import io.daosmesh.transport.wire.Envelope;
import io.daosmesh.transport.wire.Failures;
import io.netty.handler.ssl.SslHandler;
import io.rsocket.ConnectionSetupPayload;
import io.rsocket.RSocket;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.netty.Connection;

/** Decides about one connection by its SETUP and its certificate or token. Owner: the connection's event loop. */
final class Admission {
    private static final Logger log = LoggerFactory.getLogger(Admission.class);

    private final Connection connection;
    private final Listener listener;
    private volatile Optional<RpcCall.Peer> admitted = Optional.empty();

    Admission(Connection connection, Listener listener) {
        this.connection = connection;
        this.listener = listener;
    }

    /** Who is connected; empty before and without admission. */
    Optional<RpcCall.Peer> peer() {
        return admitted;
    }

    Mono<RSocket> admit(ConnectionSetupPayload payload) {
        try {
            if (!Envelope.COMPOSITE_MIME.equals(payload.metadataMimeType())) {
                throw Fault.of(FaultCode.PROTO, "metadata of type %s", payload.metadataMimeType())
                        .asException();
            }
            SetupMessage setup = SetupMessage.parseFrom(payload.sliceData().nioBuffer());
            checkPlace(setup);
            Set<RpcMethod> allowed = EnumSet.allOf(RpcMethod.class);
            SslHandler tls = connection.channel().pipeline().get(SslHandler.class);
            Role role = claimed(setup);
            Optional<User> user;
            if (tls != null) {
                checkCertificate(tls, setup, role);
                user = user(setup, role);
            } else if (listener.settings().tls().isPresent()) {
                checkToken(setup, role);
                user = Optional.empty();
                allowed = Listener.dataMethods();
            } else {
                user = user(setup, role);
            }
            RpcCall.Peer peer = new RpcCall.Peer(
                    role, setup.getRank(), setup.getIncarnation(), setup.getAddress(), setup.getVersion(), user);
            admitted = Optional.of(peer);
            return Mono.just(new Responder(listener.parts(), peer, allowed));
        } catch (FaultException e) {
            return refuse(e.fault());
        } catch (InvalidProtocolBufferException e) {
            return refuse(Fault.of(FaultCode.PROTO, "SETUP cannot be read"));
        }
    }

    private Mono<RSocket> refuse(Fault fault) {
        listener.parts().counters().setupsRefused.increment();
        log.warn("refused connection of {}: {}", connection.channel().remoteAddress(), fault.message());
        return Mono.error(Failures.refusedSetup(fault));
    }

    private void checkPlace(SetupMessage setup) {
        if (setup.getProtocol() != Envelope.PROTOCOL) {
            throw Fault.of(FaultCode.PROTO, "peer of release %s speaks another protocol", setup.getVersion())
                    .with("have", setup.getProtocol())
                    .with("need", Envelope.PROTOCOL)
                    .asException();
        }
        String system = listener.settings().identity().system();
        if (!setup.getSystem().equals(system)) {
            throw Fault.of(FaultCode.MISMATCH, "this node belongs to system '%s', not '%s'", system, setup.getSystem())
                    .remedy("set the same system name on both sides")
                    .asException();
        }
    }

    private static Role claimed(SetupMessage setup) {
        return Roles.named(setup.getComponent())
                .orElseThrow(() -> Fault.of(FaultCode.NO_PERM, "there is no role '%s'", setup.getComponent())
                        .asException());
    }

    /** A process without one stands for nobody but the user of its credential. */
    private static void checkCertificate(SslHandler tls, SetupMessage setup, Role role) {
        X509Certificate certificate;
        try {
            certificate = (X509Certificate) tls.engine().getSession().getPeerCertificates()[0];
        } catch (SSLPeerUnverifiedException e) {
            if (role == Role.AGENT && !setup.getCredential().isEmpty()) return;
            throw Fault.of(FaultCode.NO_CERT, "no certificate was shown").asException();
        }
        String name = Roles.commonName(certificate);
        if (!name.equals(Roles.label(role))) {
            throw Fault.of(FaultCode.NO_PERM, "the certificate shown is for '%s', not '%s'", name, Roles.label(role))
                    .asException();
        }
    }

    /** Only clients of an agent speak for users. */
    private Optional<User> user(SetupMessage setup, Role role) {
        if (role != Role.AGENT || setup.getCredential().isEmpty()) return Optional.empty();
        byte[] shown = setup.getCredential().toByteArray();
        long nowMs = System.currentTimeMillis();
        return Optional.of(
                listener.settings().trust().isPresent()
                        ? Credentials.check(
                                shown,
                                setup.getSystem(),
                                nowMs,
                                listener.settings().trust().get())
                        : Credentials.believe(shown, setup.getSystem(), nowMs));
    }

    private void checkToken(SetupMessage setup, Role role) {
        if (!listener.settings().clearData() || setup.getSessionToken().isEmpty()) {
            throw Fault.of(FaultCode.NO_CERT, "this node wants TLS, the connection has none")
                    .remedy("set allow_insecure: false and name the certificates in transport_config")
                    .asException();
        }
        SessionTokens.Bearer bearer = listener.tokens()
                .check(setup.getSessionToken().toByteArray(), System.currentTimeMillis())
                .orElseThrow(() -> Fault.of(FaultCode.NO_PERM, "the session token is wrong or has expired")
                        .remedy("ask for a new one over TLS")
                        .asException());
        // a server asks for its token before it has joined: then it had no rank yet
        boolean isSameRank = bearer.rank() == -1 || bearer.rank() == setup.getRank();
        if (bearer.role() != role || !isSameRank) {
            throw Fault.of(FaultCode.NO_PERM, "the session token belongs to somebody else")
                    .asException();
        }
    }
}
