package io.daosmesh.transport.server;

import com.google.protobuf.DiscardUnknownFieldsParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.release.Compatibility;
import io.daosmesh.model.release.Compatibility.Part;
import io.daosmesh.model.release.Compatibility.Speaker;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.SetupMessage;
import io.daosmesh.transport.credential.Credentials;
import io.daosmesh.transport.tls.PeerCertificate;
import io.daosmesh.transport.tls.Roles;
import io.daosmesh.transport.wire.Envelope;
import io.daosmesh.transport.wire.Failures;
import io.netty.handler.ssl.SslHandler;
import io.rsocket.ConnectionSetupPayload;
import io.rsocket.RSocket;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.netty.Connection;

/** Decides about one connection by its SETUP, its certificate, its credential, and what it has proven before. Owner: the connection's event loop. */
final class Admission {
    /** Of what a stranger sends only the known is kept. */
    private static final Parser<SetupMessage> PARSER = DiscardUnknownFieldsParser.wrap(SetupMessage.parser());

    /** A peer of ours says 20 s; one that is gone without a word must not hold its place for long. */
    private static final int KEEPALIVE_LIFE_MAX_MS = 120_000;

    private static final int CLAIM_MAX = 64;
    private static final Pattern NOT_IN_CLAIM = Pattern.compile("[^A-Za-z0-9_.:@+-]");

    private static final Logger log = LoggerFactory.getLogger(Admission.class);

    private final Connection connection;
    private final Guest guest;
    private final Listener listener;

    Admission(Connection connection, Guest guest, Listener listener) {
        this.connection = connection;
        this.guest = guest;
        this.listener = listener;
    }

    Mono<RSocket> admit(ConnectionSetupPayload payload) {
        try {
            if (!Envelope.COMPOSITE_MIME.equals(payload.metadataMimeType())) {
                throw Fault.of(FaultCode.PROTO, "metadata of type %s", payload.metadataMimeType())
                        .asException();
            }
            SetupMessage setup = PARSER.parseFrom(payload.sliceData().nioBuffer());
            if (payload.keepAliveMaxLifetime() > KEEPALIVE_LIFE_MAX_MS) {
                throw Fault.of(FaultCode.PROTO, "a keep-alive life of %d ms", payload.keepAliveMaxLifetime())
                        .with("max", KEEPALIVE_LIFE_MAX_MS)
                        .asException();
            }
            checkPlace(setup);
            Set<RpcMethod> allowed = EnumSet.allOf(RpcMethod.class);
            SslHandler tls = connection.channel().pipeline().get(SslHandler.class);
            Role role = claimed(setup);
            Optional<User> user;
            if (tls != null) {
                checkCertificate(tls, setup, role);
                checkRevoked(tls);
                user = user(setup, role);
            } else if (guest.session().isPresent()) {
                user = checkSession(setup, role, guest.session().get());
                allowed = Listener.dataMethods();
            } else {
                user = user(setup, role);
            }
            checkRelease(setup, tls != null || guest.session().isPresent());
            RpcCall.Peer peer = new RpcCall.Peer(
                    role,
                    setup.getRank(),
                    setup.getIncarnation(),
                    setup.getAddress(),
                    Refusals.plain(setup.getVersion()),
                    user,
                    guest.address().getHostAddress(),
                    claim(setup, role));
            Budget.Account account = guest.admit(peer);
            return Mono.just(new Responder(listener.parts(), peer, allowed, account, guest.backlog()));
        } catch (FaultException e) {
            return refuse(e.fault());
        } catch (InvalidProtocolBufferException e) {
            return refuse(Fault.of(FaultCode.PROTO, "SETUP cannot be read"));
        } catch (RuntimeException e) {
            // thrown on, it would leave the frame behind: the library releases it with our answer only
            log.error("admission failed unexpectedly", e);
            return refuse(Fault.of(FaultCode.PROTO, "SETUP cannot be read"));
        }
    }

    /** Of administrators only: others say who they are with a credential. */
    private static String claim(SetupMessage setup, Role role) {
        if (role != Role.ADMIN) return "";
        String said = setup.getClaim();
        return NOT_IN_CLAIM
                .matcher(said.substring(0, Math.min(said.length(), CLAIM_MAX)))
                .replaceAll("?");
    }

    private Mono<RSocket> refuse(Fault fault) {
        guest.told(fault);
        guest.guard().close();
        return Mono.error(Failures.refusedSetup(fault));
    }

    private void checkPlace(SetupMessage setup) {
        if (setup.getProtocol() != Envelope.PROTOCOL) {
            throw Compatibility.otherProtocol(
                            Speaker.own(Part.SERVER), Envelope.PROTOCOL, speaker(setup), setup.getProtocol())
                    .asException();
        }
        String system = listener.settings().identity().system();
        if (!setup.getSystem().equals(system)) {
            throw Fault.of(FaultCode.MISMATCH, "this node belongs to system '%s', not '%s'", system, setup.getSystem())
                    .remedy("set the same system name on both sides")
                    .asException();
        }
    }

    /** After the proofs: a stranger need not learn what runs here. */
    private static void checkRelease(SetupMessage setup, boolean isProven) {
        Optional<Fault> why = Compatibility.refusal(Speaker.own(Part.SERVER), speaker(setup), isProven);
        if (why.isPresent()) throw why.get().asException();
    }

    /** A program of a user speaks as an agent, with a credential. */
    private static Speaker speaker(SetupMessage setup) {
        Part part = Roles.named(setup.getComponent())
                .map(role -> switch (role) {
                    case SERVER -> Part.SERVER;
                    case ADMIN -> Part.ADMIN;
                    case AGENT -> setup.getCredential().isEmpty() ? Part.AGENT : Part.CLIENT;
                })
                .orElse(Part.CLIENT);
        return new Speaker(part, setup.getVersion());
    }

    private static Role claimed(SetupMessage setup) {
        return Roles.named(setup.getComponent())
                .orElseThrow(() -> Fault.of(FaultCode.NO_PERM, "there is no role '%s'", setup.getComponent())
                        .asException());
    }

    /** A process without one stands for nobody but the user of its credential; a server only for addresses of its own. */
    private static void checkCertificate(SslHandler tls, SetupMessage setup, Role role) {
        Optional<PeerCertificate> shown = PeerCertificate.shown(tls);
        if (shown.isEmpty()) {
            if (role == Role.AGENT && !setup.getCredential().isEmpty()) return;
            throw Fault.of(FaultCode.NO_CERT, "no certificate was shown").asException();
        }
        String name = shown.get().name();
        if (!name.equals(Roles.label(role))) {
            throw Fault.of(FaultCode.NO_PERM, "the certificate shown is for '%s', not '%s'", name, Roles.label(role))
                    .asException();
        }
        if (role != Role.SERVER || setup.getAddress().isEmpty()) return;
        Optional<Fault> why = shown.get().refusal(setup.getAddress());
        if (why.isPresent()) throw why.get().asException();
    }

    /** A handshake that began before the list has grown ends after it. */
    private void checkRevoked(SslHandler tls) {
        if (listener.settings().trust().filter(t -> t.get().isRevoked(tls)).isEmpty()) return;
        throw Fault.of(FaultCode.BAD_CERT, "the certificate shown is revoked").asException();
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
                                listener.settings().trust().get().get()::checkTrusted)
                        : Credentials.believe(shown, setup.getSystem(), nowMs));
    }

    /** What was proven over TLS holds for the clear channel too, and nothing else. */
    private static Optional<User> checkSession(SetupMessage setup, Role role, Sessions.Session session) {
        RpcCall.Peer holder = session.peer();
        // a server asks for its key before it has joined: then it had no rank yet
        boolean isSameRank = holder.rank() == -1 || holder.rank() == setup.getRank();
        if (holder.role() != role || !isSameRank || !holder.address().equals(setup.getAddress())) {
            throw Fault.of(FaultCode.NO_PERM, "the key of the data channel belongs to somebody else")
                    .asException();
        }
        return holder.user();
    }
}
