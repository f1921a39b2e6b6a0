package io.daosmesh.transport.wire;

import com.google.protobuf.ByteString;
import io.daosmesh.model.release.Release;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.wire.SetupMessage;
import java.util.function.Supplier;

/**
 * Who this process is, as its SETUP says. Any thread: rank and incarnation are set once the first engine has joined.
 */
public final class Identity {
    private static final byte[] NO_CREDENTIAL = {};

    private final Role role;
    private final String system;
    private volatile String address;
    private volatile Rank rank = new Rank(-1, 0);
    private volatile String claim = "";
    private volatile Supplier<byte[]> credential = () -> NO_CREDENTIAL;

    private record Rank(int number, long incarnation) {}

    /** @param address control address of a server, else empty */
    public Identity(Role role, String system, String address) {
        this.role = role;
        this.system = system;
        this.address = address;
    }

    public Role role() {
        return role;
    }

    public String system() {
        return system;
    }

    public String address() {
        return address;
    }

    public void address(String known) {
        address = known;
    }

    public void rank(int number, long incarnation) {
        rank = new Rank(number, incarnation);
    }

    /** Who is behind an administrator's certificate, for the record. */
    public void claim(String name) {
        claim = name;
    }

    /** Where each new connection gets the credential of its user from; must not block. */
    public void credential(Supplier<byte[]> source) {
        credential = source;
    }

    public SetupMessage.Builder setup() {
        Rank r = rank;
        return SetupMessage.newBuilder()
                .setComponent(role.name().toLowerCase(java.util.Locale.ROOT))
                .setVersion(Release.own().text())
                .setProtocol(Envelope.PROTOCOL)
                .setSystem(system)
                .setRank(r.number())
                .setIncarnation(r.incarnation())
                .setAddress(address)
                .setClaim(claim)
                .setCredential(ByteString.copyFrom(credential.get()));
    }
}
