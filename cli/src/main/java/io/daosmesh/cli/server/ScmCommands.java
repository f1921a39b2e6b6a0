package io.daosmesh.cli.server;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import picocli.CommandLine.Command;

/** {@code daos_server scm}. Owner: the main thread. */
@Command(name = "scm", description = "Persistent memory of this machine")
final class ScmCommands extends Sub {
    @Command(name = "scan", description = "Modules and namespaces")
    int scan() {
        Devices devices = Devices.of(root().sys(), root().file());
        return root().show(devices::scmText, devices::scmJson);
    }

    @Command(name = "prepare", description = "See that there are namespaces")
    int prepare() {
        return prepare(root());
    }

    static int prepare(ServerRoot root) {
        Devices devices = withModules(root);
        if (!devices.namespaces().isEmpty()) return root.show(devices::scmText, devices::scmJson);
        throw Fault.of(
                        FaultCode.NOTSUPPORTED,
                        "%d PMem modules have no namespace, and this program makes none",
                        devices.modules())
                .remedy(
                        "make them with ipmctl create -goal PersistentMemoryType=AppDirect, a restart of the machine, and"
                                + " ndctl create-namespace for each region")
                .with(ServerRoot.NUMBER, 212)
                .with(ServerRoot.DOMAIN, "scm")
                .asException();
    }

    @Command(name = "reset", description = "Back to plain memory")
    int reset() {
        return reset(root());
    }

    static int reset(ServerRoot root) {
        Devices devices = withModules(root);
        throw Fault.of(
                        FaultCode.NOTSUPPORTED,
                        "%d PMem modules are there, and this program takes no namespace away",
                        devices.modules())
                .remedy("stop the node, then ndctl destroy-namespace -f all and ipmctl create -goal MemoryMode=100")
                .with(ServerRoot.NUMBER, 212)
                .with(ServerRoot.DOMAIN, "scm")
                .asException();
    }

    private static Devices withModules(ServerRoot root) {
        Devices devices = Devices.of(root.sys(), root.file());
        if (devices.modules() > 0 || !devices.namespaces().isEmpty()) return devices;
        throw Fault.of(FaultCode.NONEXIST, "this machine has no PMem modules")
                .remedy("use SCM of class ram, or a folder with class file: neither has to be prepared")
                .with(ServerRoot.NUMBER, 211)
                .with(ServerRoot.DOMAIN, "scm")
                .asException();
    }
}
