package io.daosmesh.model.machine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.ControllerMessage;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Gives NVMe controllers to a driver for user space, or back to the kernel's. A controller with a file system, a partition or another
 * user in the kernel is left alone. Source: Linux, Documentation/ABI/testing/sysfs-bus-pci (driver_override, unbind, drivers_probe).
 * One thread at a time.
 */
public final class PciBinding {
    public static final String VFIO = "vfio-pci";
    public static final String UIO = "uio_pci_generic";
    public static final String NVME = "nvme";

    /** The files themselves. */
    public static final Kernel FILES = new Kernel() {
        @Override
        public void write(Path file, String text) throws IOException {
            // never made: the kernel has it or not
            Files.writeString(file, text, StandardOpenOption.WRITE);
        }

        @Override
        public String mounts() throws IOException {
            return Files.readString(Path.of("/proc/self/mounts"));
        }
    };

    /** Arguments of a fault: its number in the table of administrators' faults, and which part of the table. */
    private static final String NUMBER = "fault";

    private static final String DOMAIN = "domain";

    private static final String DEVICES = "bus/pci/devices/";
    private static final String DRIVERS = "bus/pci/drivers/";
    private static final int HUGEPAGES_MAX = 1 << 20;

    /** What reacts to writes. */
    public interface Kernel {
        void write(Path file, String text) throws IOException;

        /** As /proc/mounts. */
        String mounts() throws IOException;
    }

    /** @param error empty when it went well */
    public record Result(String address, String driver, String error) {}

    private final Sysfs sys;
    private final Kernel kernel;

    public PciBinding(Sysfs sys, Kernel kernel) {
        this.sys = sys;
        this.kernel = kernel;
    }

    /** As {@code 0000:81:00.0}. */
    public static boolean isAddress(String text) {
        return text.matches("[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7]");
    }

    /** The driver to use: vfio-pci with an IOMMU, else uio_pci_generic. NONEXIST when its module is not loaded. */
    public String driver(boolean noVfio) {
        String driver = !noVfio && !sys.names("class/iommu").isEmpty() ? VFIO : UIO;
        if (sys.has(DRIVERS + driver)) return driver;
        throw Fault.of(FaultCode.NONEXIST, "the kernel has no driver %s", driver)
                .remedy("load it with modprobe " + driver)
                .with(NUMBER, driver.equals(VFIO) ? 310 : 1)
                .with(DOMAIN, "bdev")
                .asException();
    }

    /** @param allowed addresses, empty = all */
    public List<Result> bind(Set<String> allowed, Set<String> blocked, String driver) {
        List<ControllerMessage> found = Machine.controllers(sys);
        for (String address : allowed) {
            if (found.stream().noneMatch(c -> c.getAddress().equals(address))) throw notHere(address);
        }
        List<Result> results = new ArrayList<>();
        for (ControllerMessage controller : found) {
            String address = controller.getAddress();
            if (blocked.contains(address) || (!allowed.isEmpty() && !allowed.contains(address))) continue;
            results.add(bind(controller, driver));
        }
        return results;
    }

    private static FaultException notHere(String address) {
        return Fault.of(FaultCode.NONEXIST, "this machine has no NVMe controller %s", address)
                .remedy("see daos_server nvme scan")
                .with(NUMBER, 304)
                .with(DOMAIN, "bdev")
                .asException();
    }

    private Result bind(ControllerMessage controller, String driver) {
        String address = controller.getAddress();
        String at = DEVICES + address;
        if (controller.getDriver().equals(driver)) return new Result(address, driver, "");
        String user = user(at);
        if (!user.isEmpty()) return new Result(address, controller.getDriver(), "in use: " + user);
        try {
            // the kernel's own driver needs no name: an empty override lets any driver have it
            kernel.write(sys.at(at + "/driver_override"), driver.equals(NVME) ? "\n" : driver);
            if (!controller.getDriver().isEmpty()) kernel.write(sys.at(at + "/driver/unbind"), address);
            kernel.write(sys.at("bus/pci/drivers_probe"), address);
        } catch (IOException e) {
            return new Result(address, sys.linkName(at + "/driver"), why(e));
        }
        String now = sys.linkName(at + "/driver");
        return new Result(address, now, now.equals(driver) ? "" : "driver " + driver + " did not take it");
    }

    /** Who uses the block devices of a controller; empty = nobody. */
    private String user(String at) {
        String mounts;
        try {
            mounts = kernel.mounts();
        } catch (IOException e) {
            return "its mounts cannot be read";
        }
        for (String controller : sys.names(at + "/nvme")) {
            for (String disk : sys.names(at + "/nvme/" + controller)) {
                if (!disk.matches("nvme\\d+(c\\d+)?n\\d+")) continue;
                String user = userOfDisk(disk, at + "/nvme/" + controller + "/" + disk, mounts);
                if (!user.isEmpty()) return user;
            }
        }
        return "";
    }

    private String userOfDisk(String disk, String at, String mounts) {
        for (String entry : sys.names(at)) {
            if (entry.startsWith(disk + "p")) return "partition " + entry;
        }
        List<String> holders = sys.names(at + "/holders");
        if (!holders.isEmpty()) return holders.get(0) + " holds " + disk;
        String device = "/dev/" + disk;
        return mounts.lines()
                .filter(line -> line.startsWith(device + " "))
                .findFirst()
                .map(line -> device + " is mounted")
                .orElse("");
    }

    /** Reserves pages and looks whether there are so many. INVAL, NO_PERM, NOMEM. */
    public void hugepages(int count) {
        if (count < 0 || count > HUGEPAGES_MAX) {
            throw Fault.of(FaultCode.INVAL, "%d hugepages are out of range", count)
                    .remedy("give 0 to " + HUGEPAGES_MAX)
                    .with(NUMBER, 725)
                    .with(DOMAIN, "serverconfig")
                    .asException();
        }
        String file = "kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
        try {
            kernel.write(sys.at(file), Integer.toString(count));
        } catch (IOException e) {
            throw Fault.of(FaultCode.NO_PERM, "hugepages cannot be reserved: %s", why(e))
                    .remedy("run it as root on a kernel with hugepages of 2 MiB")
                    .asException();
        }
        long there = sys.number(file, 0);
        if (there < count) {
            throw Fault.of(FaultCode.NOMEM, "the kernel has found memory for %d hugepages of %d", there, count)
                    .remedy("reserve them when the machine starts (hugepages= of the kernel), or give fewer")
                    .asException();
        }
    }

    private static String why(IOException e) {
        if (e instanceof AccessDeniedException) return "permission denied: run it as root";
        if (e instanceof NoSuchFileException missing) return missing.getFile() + " is not there";
        return String.valueOf(e.getMessage());
    }
}
