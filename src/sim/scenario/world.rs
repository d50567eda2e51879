//! What the scenarios find outside the API: registries with their accounts, and the programs in the images.

use std::time::Duration;

use crate::sim::kubelet::{Ending, Exit, OnStop, Program, World};
use crate::sim::registry::{Account, Auth, Registry};

const MIB: u64 = 1024 * 1024;

/// The world all scenarios and the background share.
pub(in crate::sim) fn base_world() -> World {
    let mut world = World::default();
    add_registries(&mut world);
    add_programs(&mut world);
    world
}

fn add_registries(world: &mut World) {
    let robot = Account::new("robot$puller", "swordfish");
    let harbor = Registry::new("harbor.example.com", Auth::Private { accounts: vec![robot] })
        .with("payments/api", &["1.4.10", "1.4.11"])
        .with("billing/invoice-api", &["2.7.0"]);
    let hub = Auth::DockerHub {
        private: vec!["acme/".to_owned()],
        accounts: vec![Account::new("acme", "swordfish")],
    };
    let hub = Registry::new("docker.io", hub).with("library/nginx", &["1.27"]);
    let house = Registry::new("registry.example.com", Auth::Public)
        .with("reports/export-worker", &["1.8.0"])
        .with("storefront/web", &["4.2.0"])
        .with("orders/api", &["2.3.0", "2.4.0"])
        .with("search/indexer", &["7.1.0"])
        .with("catalog/api", &["5.0.2"])
        .with("ledger/ledger", &["3.9.1"])
        .with("metrics/collector", &["0.14.3"])
        .with("media/transcoder", &["6.0.0"])
        .with("fulfilment/render-config", &["1.1.0"])
        .with("fulfilment/picker", &["2.2.0"])
        .with("shop/catalog-web", &["9.4.1"])
        .with("shop/redis", &["7.4.0"])
        .with("monitoring/node-exporter", &["1.8.2"])
        .with("storm/crashing", &["1.0"]);
    let mut shaky = Registry::new("registry.example.net", Auth::Public);
    for index in 1..=20 {
        shaky = shaky.with(&format!("platform/app-{index:02}"), &["1.0"]);
    }
    for registry in [harbor, hub, house, shaky] {
        world.registries.add(registry);
    }
}

fn add_programs(world: &mut World) {
    world.set_program(
        "registry.example.com/orders/api:2.4.0",
        Program::failing(
            Duration::from_secs(1),
            1,
            &[
                "starting orders-api 2.4.0",
                "panic: migration 0042_split_address: column \"street\" of relation \"orders\" is missing",
            ],
        ),
    );
    world.set_program(
        "registry.example.com/search/indexer:7.1.0",
        Program::server(&["loading dictionary into memory"]).needing(300 * MIB),
    );
    world.set_program(
        "registry.example.com/media/transcoder:6.0.0",
        Program::server(&["mounted nfs://media.example.com/raw", "waiting for work"])
            .stopping(OnStop::Unkillable),
    );
    world.set_program(
        "registry.example.com/fulfilment/render-config:1.1.0",
        Program::task(Duration::from_millis(500), &["rendered /rendered/picker.toml"]),
    );
    world.set_program("registry.example.com/fulfilment/picker:2.2.0", picker());
    world.set_program(
        "registry.example.com/storm/crashing:1.0",
        Program::failing(Duration::from_secs(1), 1, &["fatal: invalid value for LOG_LEVEL: verbos"]),
    );
}

fn picker() -> Program {
    let exit = Exit {
        after: Duration::from_secs(1),
        code: 78,
        says: vec!["error: /etc/picker/picker.toml: database alias \"orders-old\" is not defined (known: orders-main)".to_owned()],
    };
    let ending = Ending::IfPodStartedWith {
        config_map: "picker-config".to_owned(),
        key: "DB_ALIAS".to_owned(),
        value: "orders-old".to_owned(),
        exit,
    };
    Program { ending, ..Program::server(&["picker 2.2.0 starting"]) }
}
