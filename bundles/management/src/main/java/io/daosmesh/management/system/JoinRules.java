package io.daosmesh.management.system;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.wire.JoinRequest;
import java.util.regex.Pattern;

/** What a rank may say about itself when it joins: as a node's own configuration may be, and no more. Pure. */
public final class JoinRules {
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._:\\[\\]%-]{1,253}");
    private static final Pattern FAULT_DOMAIN = Pattern.compile("(/[A-Za-z0-9_.=-]+)+");
    private static final int FAULT_DOMAIN_MAX = 255;
    private static final int TARGETS_MAX = 64;
    private static final int ENGINES_MAX = 16;

    private JoinRules() {}

    /** MISMATCH when it wants to join another system. */
    static void checkSystem(JoinRequest r, String system) {
        if (r.getSystem().equals(system)) return;
        throw Fault.of(
                        FaultCode.MISMATCH,
                        "request system '%s' does not match running system '%s'",
                        r.getSystem(),
                        system)
                .remedy("set the same system name in every configuration file")
                .asException();
    }

    /** Throws MISMATCH and INVAL. */
    public static void check(JoinRequest r, String system) {
        checkSystem(r, system);
        Ids.uuid(r.getUuid());
        checkAddress(r.getAddress());
        String domain = r.getFaultDomain();
        if (domain.length() > FAULT_DOMAIN_MAX || !FAULT_DOMAIN.matcher(domain).matches()) {
            throw Fault.of(FaultCode.INVAL, "fault domain '%s' is not a path", domain)
                    .remedy("set fault_path to something like /rack1/node1")
                    .asException();
        }
        if (r.getTargetCount() < 1 || r.getTargetCount() > TARGETS_MAX)
            throw wrong("an engine has 1 to %d targets, not %s", TARGETS_MAX, r.getTargetCount());
        if (r.getEngineIndex() < 0 || r.getEngineIndex() >= ENGINES_MAX)
            throw wrong("a node has up to %d engines, not one of index %s", ENGINES_MAX, r.getEngineIndex());
        if (r.getWantedRank() < -1)
            throw Fault.of(FaultCode.INVAL, "there is no rank %d", r.getWantedRank())
                    .asException();
        if (r.getIncarnation() <= 0)
            throw Fault.of(FaultCode.INVAL, "an incarnation is a clock value above 0")
                    .asException();
    }

    /** Throws INVAL unless it is {@code host:port}. */
    public static void checkAddress(String address) {
        if (!HOST.matcher(Endpoint.node(address).host()).matches())
            throw Fault.of(FaultCode.INVAL, "address '%s' is not HOST:PORT", address)
                    .asException();
    }

    private static RuntimeException wrong(String format, int max, int given) {
        return Fault.of(FaultCode.INVAL, format, max, Integer.toUnsignedString(given))
                .asException();
    }
}
