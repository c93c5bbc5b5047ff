//! What holds of every profile.

use crate::{IssuerMismatch, Profile, Sign, check_issuer, named, of_domain, profiles};

#[test]
fn the_names_are_those_of_the_setting_and_each_is_used_once() {
    let names = profiles::ALL.map(|profile| profile.name);
    let expected = ["generic", "logto", "auth0", "cognito", "entra", "keycloak", "okta", "supabase", "workos"];
    assert_eq!(names, expected);
    for profile in profiles::ALL {
        assert!(std::ptr::eq(named(profile.name).unwrap(), profile));
    }
    assert!(named("Logto").is_none() && named("").is_none());
}

#[test]
fn every_profile_names_types_clients_scopes_and_signs_of_users() {
    for profile in profiles::ALL {
        let Profile { name, token_types, client_id_claims, scope_claims, user_signs, .. } = profile;
        assert!(!token_types.is_empty() && !client_id_claims.is_empty(), "{name}");
        assert!(!scope_claims.is_empty() && !user_signs.is_empty(), "{name}");
    }
}

#[test]
fn the_example_of_each_form_has_that_form() {
    for profile in profiles::ALL {
        for form in profile.issuers {
            let example = form.example.replace("<tenant id>", "0a1b2c3d-0000-4000-8000-000000000001");
            assert!(form.matches(&example), "{example}");
            assert!(check_issuer(profile, &example).is_ok(), "{example}");
            assert_eq!(of_domain(&example).map(|it| it.name), Some(profile.name));
        }
    }
}

#[test]
fn an_issuer_of_another_provider_or_form_is_reported() {
    let check = |name: &str, issuer: &str| match check_issuer(named(name).unwrap(), issuer) {
        Ok(()) => "ok".to_owned(),
        Err(IssuerMismatch::OtherProvider { other }) => format!("is {}", other.name),
        Err(IssuerMismatch::Form { example }) => example.to_owned(),
    };
    assert_eq!(check("okta", "https://tenant.eu.auth0.com/"), "is auth0");
    assert_eq!(check("keycloak", "https://tenant.logto.app/oidc"), "is logto");
    assert_eq!(check("auth0", "https://tenant.eu.auth0.com"), "https://your-tenant.eu.auth0.com/");
    assert_eq!(check("logto", "https://tenant.logto.app/oidc/"), "https://your-tenant.logto.app/oidc");
    assert_eq!(check("okta", "https://org.okta.com"), "https://your-org.okta.com/oauth2/default");
    // A customer's own domain may be of any provider.
    for name in profiles::ALL.map(|profile| profile.name) {
        assert_eq!(check(name, "https://login.example.com/"), "ok", "{name}");
    }
    assert_eq!(check("generic", "https://tenant.eu.auth0.com/"), "ok", "the default may be meant");
}

#[test]
fn a_domain_belongs_to_one_provider() {
    for profile in profiles::ALL {
        for form in profile.issuers {
            let owners =
                profiles::ALL.iter().filter(|other| other.issuers.iter().any(|it| it.is_of_host(form.example)));
            assert_eq!(owners.count(), 1, "{}", form.example);
        }
    }
}

#[test]
fn no_sign_of_a_machine_or_a_user_is_only_that_something_is_missing() {
    // It would hold of answers that have less to say than a token.
    for profile in profiles::ALL {
        for sign in [profile.machine_signs, profile.user_signs].concat() {
            assert!(!matches!(sign, Sign::Absent(_) | Sign::NotTrue(_) | Sign::Not(_)), "{}: {sign:?}", profile.name);
        }
    }
}

#[test]
fn a_tenant_of_entra_is_named_by_its_id() {
    let check =
        |tenant: &str| check_issuer(&profiles::ENTRA, &format!("https://login.microsoftonline.com/{tenant}/v2.0"));
    assert!(check("72f988bf-86f1-41af-91ab-2d7cd011db47").is_ok() && check("{tenantid}").is_ok());
    for other in ["common", "organizations", "contoso.onmicrosoft.com", "72F988BF-86F1-41AF-91AB-2D7CD011DB47", ""] {
        assert!(check(other).is_err(), "{other}");
    }
}
