"""One small ontology as OBO, and as ROBOT converts it to RDF/XML (as HPO's releases look)."""

OBO_TEXT = """\
format-version: 1.2
data-version: hp/releases/2025-01-16
ontology: hp

[Term]
id: HP:0000001
name: All
comment: Root of all terms.

[Term]
id: HP:0000118
name: Phenotypic abnormality
def: "A phenotypic abnormality." [HPO:probinson]
synonym: "Organ abnormality" EXACT []
is_a: HP:0000001 ! All

[Term]
id: HP:0001166
name: Arachnodactyly
alt_id: HP:0001505
def: "Abnormally long and slender fingers (\\"spider fingers\\")." [HPO:probinson, PMID:1]
synonym: "Long slender fingers" EXACT layperson []
synonym: "Spider fingers" RELATED []
synonym: "Slender fingers" BROAD []
synonym: "Arachnodactyly of the thumb" NARROW []
xref: UMLS:C0003706
is_a: HP:0000118 {source="HPO:probinson"} ! Phenotypic abnormality
relationship: BFO:0000051 PATO:0000573 ! has part increased length
relationship: RO:0000052 UBERON:0002389 {source="HPO:probinson"} ! inheres in manual digit

[Term]
id: HP:0001511
name: obsolete Intrauterine growth retardation
is_obsolete: true
replaced_by: HP:0000118

[Term]
id: HP:0004322
name: obsolete Short stature
is_obsolete: true
consider: HP:0000118

[Term]
id: PATO:0000573
name: increased length

[Term]
id: UBERON:0002389
name: manual digit

[Typedef]
id: BFO:0000051
name: has part

[Typedef]
id: RO:0000052
name: inheres in
"""

OWL_TEXT = """\
<?xml version="1.0"?>
<rdf:RDF xmlns="http://purl.obolibrary.org/obo/hp.owl#"
     xml:base="http://purl.obolibrary.org/obo/hp.owl"
     xmlns:obo="http://purl.obolibrary.org/obo/"
     xmlns:owl="http://www.w3.org/2002/07/owl#"
     xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
     xmlns:xml="http://www.w3.org/XML/1998/namespace"
     xmlns:xsd="http://www.w3.org/2001/XMLSchema#"
     xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#"
     xmlns:oboInOwl="http://www.geneontology.org/formats/oboInOwl#">
    <owl:Ontology rdf:about="http://purl.obolibrary.org/obo/hp.owl">
        <owl:versionIRI rdf:resource="http://purl.obolibrary.org/obo/hp/releases/2025-01-16/hp.owl"/>
        <oboInOwl:hasOBOFormatVersion>1.2</oboInOwl:hasOBOFormatVersion>
    </owl:Ontology>
    <owl:AnnotationProperty rdf:about="http://purl.obolibrary.org/obo/IAO_0100001"/>
    <owl:ObjectProperty rdf:about="http://purl.obolibrary.org/obo/BFO_0000051">
        <oboInOwl:id>BFO:0000051</oboInOwl:id>
        <rdfs:label>has part</rdfs:label>
    </owl:ObjectProperty>
    <owl:ObjectProperty rdf:about="http://purl.obolibrary.org/obo/RO_0000052">
        <oboInOwl:id>RO:0000052</oboInOwl:id>
        <rdfs:label>inheres in</rdfs:label>
    </owl:ObjectProperty>
    <owl:Class rdf:about="http://purl.obolibrary.org/obo/HP_0000001">
        <oboInOwl:id>HP:0000001</oboInOwl:id>
        <rdfs:comment>Root of all terms.</rdfs:comment>
        <rdfs:label>All</rdfs:label>
    </owl:Class>
    <owl:Class rdf:about="http://purl.obolibrary.org/obo/HP_0000118">
        <rdfs:subClassOf rdf:resource="http://purl.obolibrary.org/obo/HP_0000001"/>
        <obo:IAO_0000115>A phenotypic abnormality.</obo:IAO_0000115>
        <oboInOwl:hasExactSynonym>Organ abnormality</oboInOwl:hasExactSynonym>
        <oboInOwl:id>HP:0000118</oboInOwl:id>
        <rdfs:label>Phenotypic abnormality</rdfs:label>
    </owl:Class>
    <owl:Axiom>
        <owl:annotatedSource rdf:resource="http://purl.obolibrary.org/obo/HP_0000118"/>
        <owl:annotatedProperty rdf:resource="http://purl.obolibrary.org/obo/IAO_0000115"/>
        <owl:annotatedTarget>A phenotypic abnormality.</owl:annotatedTarget>
        <oboInOwl:hasDbXref>HPO:probinson</oboInOwl:hasDbXref>
    </owl:Axiom>
    <owl:Class rdf:about="http://purl.obolibrary.org/obo/HP_0001166">
        <rdfs:subClassOf rdf:resource="http://purl.obolibrary.org/obo/HP_0000118"/>
        <rdfs:subClassOf>
            <owl:Restriction>
                <owl:onProperty rdf:resource="http://purl.obolibrary.org/obo/BFO_0000051"/>
                <owl:someValuesFrom rdf:resource="http://purl.obolibrary.org/obo/PATO_0000573"/>
            </owl:Restriction>
        </rdfs:subClassOf>
        <rdfs:subClassOf>
            <owl:Restriction>
                <owl:onProperty rdf:resource="http://purl.obolibrary.org/obo/RO_0000052"/>
                <owl:someValuesFrom rdf:resource="http://purl.obolibrary.org/obo/UBERON_0002389"/>
            </owl:Restriction>
        </rdfs:subClassOf>
        <obo:IAO_0000115>Abnormally long and slender fingers (&quot;spider fingers&quot;).</obo:IAO_0000115>
        <oboInOwl:hasAlternativeId>HP:0001505</oboInOwl:hasAlternativeId>
        <oboInOwl:hasBroadSynonym>Slender fingers</oboInOwl:hasBroadSynonym>
        <oboInOwl:hasDbXref>UMLS:C0003706</oboInOwl:hasDbXref>
        <oboInOwl:hasExactSynonym>Long slender fingers</oboInOwl:hasExactSynonym>
        <oboInOwl:hasNarrowSynonym>Arachnodactyly of the thumb</oboInOwl:hasNarrowSynonym>
        <oboInOwl:hasRelatedSynonym>Spider fingers</oboInOwl:hasRelatedSynonym>
        <oboInOwl:id>HP:0001166</oboInOwl:id>
        <rdfs:label>Arachnodactyly</rdfs:label>
    </owl:Class>
    <owl:Axiom>
        <owl:annotatedSource rdf:resource="http://purl.obolibrary.org/obo/HP_0001166"/>
        <owl:annotatedProperty rdf:resource="http://www.w3.org/2000/01/rdf-schema#subClassOf"/>
        <owl:annotatedTarget>
            <owl:Restriction>
                <owl:onProperty rdf:resource="http://purl.obolibrary.org/obo/RO_0000052"/>
                <owl:someValuesFrom rdf:resource="http://purl.obolibrary.org/obo/UBERON_0002389"/>
            </owl:Restriction>
        </owl:annotatedTarget>
        <oboInOwl:source>HPO:probinson</oboInOwl:source>
    </owl:Axiom>
    <owl:Axiom>
        <owl:annotatedSource rdf:resource="http://purl.obolibrary.org/obo/HP_0001166"/>
        <owl:annotatedProperty rdf:resource="http://www.geneontology.org/formats/oboInOwl#hasExactSynonym"/>
        <owl:annotatedTarget>Long slender fingers</owl:annotatedTarget>
        <oboInOwl:hasSynonymType rdf:resource="http://purl.obolibrary.org/obo/hp#layperson"/>
    </owl:Axiom>
    <owl:Class rdf:about="http://purl.obolibrary.org/obo/HP_0001505">
        <obo:IAO_0000231 rdf:resource="http://purl.obolibrary.org/obo/IAO_0000227"/>
        <obo:IAO_0100001 rdf:resource="http://purl.obolibrary.org/obo/HP_0001166"/>
        <owl:deprecated rdf:datatype="http://www.w3.org/2001/XMLSchema#boolean">true</owl:deprecated>
    </owl:Class>
    <owl:Class rdf:about="http://purl.obolibrary.org/obo/HP_0001511">
        <obo:IAO_0100001 rdf:resource="http://purl.obolibrary.org/obo/HP_0000118"/>
        <oboInOwl:id>HP:0001511</oboInOwl:id>
        <rdfs:label>obsolete Intrauterine growth retardation</rdfs:label>
        <owl:deprecated rdf:datatype="http://www.w3.org/2001/XMLSchema#boolean">true</owl:deprecated>
    </owl:Class>
    <owl:Class rdf:about="http://purl.obolibrary.org/obo/HP_0004322">
        <oboInOwl:consider>HP:0000118</oboInOwl:consider>
        <oboInOwl:id>HP:0004322</oboInOwl:id>
        <rdfs:label>obsolete Short stature</rdfs:label>
        <owl:deprecated rdf:datatype="http://www.w3.org/2001/XMLSchema#boolean">true</owl:deprecated>
    </owl:Class>
    <owl:Class rdf:about="http://purl.obolibrary.org/obo/PATO_0000573">
        <oboInOwl:id>PATO:0000573</oboInOwl:id>
        <rdfs:label>increased length</rdfs:label>
    </owl:Class>
    <owl:Class rdf:about="http://purl.obolibrary.org/obo/UBERON_0002389">
        <oboInOwl:id>UBERON:0002389</oboInOwl:id>
        <rdfs:label>manual digit</rdfs:label>
    </owl:Class>
</rdf:RDF>
"""
