package io.daosmesh.cli.dmg.machine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.Optional;

/** Commands of DAOS for things that this system does not have, each with the reason and what to do instead. */
public final class Meaningless {
    private Meaningless() {}

    /** NOTSUPPORTED; empty for a command that has a meaning. @param path of the command, as {@code firmware query} */
    public static Optional<Fault> fault(String path) {
        if (isBelow(path, "firmware")) {
            return fault(
                    "nodes do not read or change the firmware of devices",
                    "for revisions see dmg storage scan --verbose; change them with nvme-cli or ipmctl while the node is"
                            + " stopped");
        }
        if (isBelow(path, "pool node-auth") || path.equals("node-auth")) {
            return fault(
                    "there are no certificates of machines for single pools",
                    "say who may use a pool with dmg pool update-acl; shut a machine out with the revocation list of the"
                            + " system (daos-certs, transport_config.crl)");
        }
        if (isBelow(path, "check")) {
            return fault(
                    "there is no checker for a system that is stopped: the databases are replicated by Raft and check"
                            + " themselves when they open",
                    "for damaged data set the pool property scrub (dmg pool set-prop) and read dmg pool query; for a lost"
                            + " engine format it anew and reintegrate its rank");
        }
        return Optional.empty();
    }

    private static boolean isBelow(String path, String group) {
        return path.equals(group) || path.startsWith(group + " ");
    }

    private static Optional<Fault> fault(String text, String remedy) {
        return Optional.of(Fault.of(FaultCode.NOTSUPPORTED, "%s", text).remedy(remedy));
    }
}
