//! Who really owns an object: Argo CD, Flux or Helm.
//!
//! What kubemend changes in such an object lasts until the owner's next sync, so every such plan says it, and
//! says what to change at the source. Only marks that these tools themselves set count;
//! `app.kubernetes.io/instance` alone is set by many.

use super::live::Live;
use crate::incident::Text;

/// The warning for a change of `what` (such as `imagePullSecrets of the ServiceAccount`), if somebody owns it.
pub(super) fn warning(live: &Live<'_>, what: &str) -> Option<Text> {
    let keeper = keeper(live)?;
    Some(Text::from(format!(
        "{} belongs to {}, which will take this change back when it next applies its source, if the two differ. \
         To make it last, change {what} in {}.",
        live.words(),
        keeper.name,
        keeper.source
    )))
}

/// The warning for a restart: there is nothing to change at the source, but the annotation may be dropped.
pub(super) fn restart_warning(live: &Live<'_>) -> Option<Text> {
    let Keeper { name, .. } = keeper(live)?;
    Some(Text::from(format!(
        "{} belongs to {name}, which may drop the restart's annotation when it next applies its source; the pods \
         are then replaced once more.",
        live.words()
    )))
}

struct Keeper {
    name: String,
    source: String,
}

fn keeper(live: &Live<'_>) -> Option<Keeper> {
    argo(live).or_else(|| flux(live)).or_else(|| helm(live))
}

fn argo(live: &Live<'_>) -> Option<Keeper> {
    let tracked = live.annotation("argocd.argoproj.io/tracking-id").and_then(|id| id.split(':').next());
    let app = tracked.or_else(|| live.label("argocd.argoproj.io/instance"))?;
    Some(Keeper {
        name: format!("the Argo CD application {app:?}"),
        source: "the Git repository that the application points to".to_owned(),
    })
}

fn flux(live: &Live<'_>) -> Option<Keeper> {
    let of = |kind: &str, tool: &str| {
        let name = live.label(&format!("{tool}.toolkit.fluxcd.io/name"))?;
        let namespace = live.label(&format!("{tool}.toolkit.fluxcd.io/namespace")).unwrap_or_default();
        Some((kind.to_owned(), format!("{namespace}/{name}")))
    };
    let (kind, name) = of("Kustomization", "kustomize").or_else(|| of("HelmRelease", "helm"))?;
    let source = match kind.as_str() {
        "HelmRelease" => "the values of the HelmRelease, in its Git repository",
        _ => "the Git repository of the Kustomization",
    };
    Some(Keeper { name: format!("the Flux {kind} {name:?}"), source: source.to_owned() })
}

fn helm(live: &Live<'_>) -> Option<Keeper> {
    let release = live.annotation("meta.helm.sh/release-name")?;
    let managed = live.label("app.kubernetes.io/managed-by") == Some("Helm");
    managed.then(|| Keeper {
        name: format!("the Helm release {release:?}"),
        source: "the chart or its values, and upgrade the release".to_owned(),
    })
}
