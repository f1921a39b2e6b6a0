package io.daosmesh.nvmespdk;

import io.daosmesh.spi.BlockDriver;
import java.util.Hashtable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes the driver while the bundle is active. The service is registered by hand because its property
 * {@code driver.version} is the bundle's version, known only here.
 */
@Component(
        service = {},
        immediate = true)
public final class NvmeSpdkComponent {
    private static final Logger log = LoggerFactory.getLogger(NvmeSpdkComponent.class);

    private final NvmeSpdkDriver driver;
    private final ServiceRegistration<BlockDriver> registration;

    @Activate
    public NvmeSpdkComponent(BundleContext context) {
        driver = new NvmeSpdkDriver(context.getBundle().getVersion().toString());
        Hashtable<String, Object> properties = new Hashtable<>();
        properties.put("driver.name", driver.name());
        properties.put("driver.version", driver.version());
        properties.put("device.classes", driver.deviceClasses().toArray(new String[0]));
        registration = context.registerService(BlockDriver.class, driver, properties);
        log.info("block driver {} {} serves {}", driver.name(), driver.version(), driver.deviceClasses());
    }

    @Deactivate
    void stop() {
        // Unregistering is synchronous: whoever uses the driver drains and closes its devices inside this call.
        registration.unregister();
        driver.close();
    }
}
